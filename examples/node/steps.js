// What the scripts of both libraries share: running steps, and expectations.

// Prints `ok - STEP`, or `not ok - STEP: why`.
export async function run(steps) {
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      console.log(`ok - ${name}`);
    } catch (error) {
      console.log(`not ok - ${name}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}

export function expect(holds, what) {
  if (!holds) throw new Error(`expected ${what}`);
}

// The error of a call that must fail with this code.
export async function expectCode(code, promise) {
  const error = await promise.then(() => undefined, (reason) => reason);
  expect(error?.code === code, `code ${code}, not ${error ? `${error.code}: ${error.message}` : 'OK'}`);
  return error;
}

export function expectFields(found) {
  for (const field of ['label', 'permissions[0]', 'allowed_ips[0]']) {
    expect(found.includes(field), `a violation of ${field}, not ${found}`);
  }
}
