// Answers "unsure" where the share of errors that was promised for given answers would not hold, as
// runner/deploy/bundle/rejection.py does. `promise` is what calibration.json has under `reject`.
function keepPromise(promise, labels, found) {
  const names = promise.classes ? labels.filter(name => Object.hasOwn(promise.classes, name)) : [found.label];
  const share = name => found.shares[labels.indexOf(name)];
  const best = names.reduce((most, name) => share(name) > share(most) ? name : most);
  const { threshold } = promise.classes ? promise.classes[best] : promise;
  return { ...found, label: share(best) > threshold ? best : "unsure", mostProbable: found.label };
}
