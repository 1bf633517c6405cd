// The labels of a text, each decided by itself from its threshold on, as runner/deploy/bundle/label_sets.py does.
const ABOUT_SETS = "each label by itself: it is answered from its threshold on, and shares do not add up to 1";

// facts: with the thresholds, one a label; at_least_one: is the likeliest answered where none reaches its threshold?
function answerSet({ thresholds, at_least_one: atLeastOne }, labels, scores) {
  const shares = scores.map(score => {
    const power = Math.exp(-Math.abs(score));
    return (score >= 0 ? 1 : power) / (1 + power);
  });
  const order = labels.map((_, place) => place).sort((one, other) => shares[other] - shares[one]);
  const reached = order.filter(place => shares[place] >= thresholds[place]);
  const chosen = reached.length || !atLeastOne ? reached : order.slice(0, 1);
  return { names: chosen.map(place => labels[place]), shares, likeliest: order[0] };
}
