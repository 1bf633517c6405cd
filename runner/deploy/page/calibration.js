"use strict";
// How scores become probabilities, and what they may be called, as in runner/deploy/bundle/calibration.py.

// calibration: the content of calibration.json; {} where there is none.
function calibrated(scores, { temperature = 1, power = 1, weights, shifts } = {}) {
  if (weights?.length) return scores.map((score, place) => score * weights[place] + shifts[place]);
  const scaled = scores.map(score => score / temperature), mean = scaled.reduce((sum, one) => sum + one, 0) / scaled.length;
  const spread = Math.sqrt(2 * scaled.reduce((sum, one) => sum + (one - mean) ** 2, 0)); // how far apart they are
  return power === 1 || !spread ? scaled : scaled.map(score => score * spread ** (power - 1));
}

function describeShare(share, { method = "none", reason, ece, ece_floor_95: floor } = {}) {
  if (method === "none") return `scores, not probabilities: ${reason || "no calibration is known for it"}`;
  if (ece === undefined || floor === undefined) return `confidence ${share.toFixed(2)}`;
  if (ece <= floor) return `about ${Math.min(99, Math.round(100 * share))} in 100 such answers are right`;
  return `confidence ${share.toFixed(2)} (off by about ${Number(ece.toPrecision(1))} on average)`;
}
