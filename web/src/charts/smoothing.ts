// The exponential moving average that TensorBoard draws: without the bias towards zero at its beginning.

export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  const first = values.find((value) => value !== null);
  // A constant stays what it is, to the last digit.
  if (weight <= 0 || values.every((value) => value === null || value === first)) return [...values];
  let average = 0;
  let left = 1; // what is still missing of the sum of weights
  return values.map((value) => {
    if (value === null) return null;
    average = average * weight + (1 - weight) * value;
    left *= weight;
    return average / (1 - left);
  });
}
