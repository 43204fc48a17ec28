// Calls what the first line of its input says, with @grpc/grpc-js, until that ends; see tests/interop/callers.py. Whoever gets
// an error does not try again: only what the library repeats by itself, for every service, is repeated.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const grpc = createRequire(new URL('../../../examples/node/package.json', import.meta.url))('@grpc/grpc-js');

const input = createInterface({ input: process.stdin });
const [line] = await once(input, 'line');
const { config, calls } = JSON.parse(line);
const same = (bytes) => bytes;
const counts = {};
let isOver = false;

function call(client, path, request, metadata) {
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, request, metadata, { deadline: Date.now() + 60000 },
      (error) => resolve(error ? `${error.code} ${error.details}` : 'answered'));
  });
}

async function callOnAndOn({ path, addresses, secret, request }) {
  const client = new grpc.Client(`ipv4:${addresses.join(',')}`, grpc.credentials.createInsecure(), { 'grpc.service_config': config });
  const bytes = Buffer.from(request, 'base64');
  const count = counts[path] = {};
  while (!isOver) {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${secret}`);
    const outcome = await call(client, path, bytes, metadata);
    count[outcome] = (count[outcome] ?? 0) + 1;
    await sleep(1);
  }
  client.close();
}

input.on('close', () => { isOver = true; });
await Promise.all(calls.map(callOnAndOn));
console.log(JSON.stringify(counts));
