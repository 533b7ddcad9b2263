// What the test told the script, and what the script says of its way: a line for each step that it
// has proven. The test compares the lines, so a script that does nothing fails.
export const told = JSON.parse(process.argv[2]);

/** A step is done and was as it should be. */
export const did = (step) => console.log(step);

/** Ends the script unless something holds. */
export function expect(holds, what, ...seen) {
  if (!holds) throw new Error(`${what}: ${seen.map((one) => JSON.stringify(one)).join(" ")}`);
}

/** What a promise was rejected with. */
export async function refusal(promise) {
  const value = await promise.then(
    (answer) => ({ answer }),
    (error) => ({ error }),
  );
  expect("error" in value, "was not refused", value.answer);
  return value.error;
}

/** A call of the Management API with the test's own token. */
export async function manage(method, path, body) {
  const answer = await fetch(new URL(`api/v2/${path}`, told.issuer), {
    method,
    headers: { authorization: `Bearer ${told.management}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  expect(answer.ok, `${method} ${path}`, answer.status, text);
  return text && JSON.parse(text);
}
