// Validates nonsense through the Connect client of the examples and prints the reason; once more after a line of input.
import { once } from 'node:events';

import { connect } from '../../examples/node/connect/connection.js';
import { Reason } from '../../examples/node/gen/latchkey/v1/decision_pb.js';

const { validation, close } = connect();

async function ask() {
  const { reason } = await validation.validate({ token: 'nonsense' }, { timeoutMs: 20000 });
  console.log(Reason[reason]);
}

await ask();
await once(process.stdin, 'data');
await ask();
close();
process.stdin.destroy();
