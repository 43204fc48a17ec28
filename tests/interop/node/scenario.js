// The scenario of tests/lib/latchkey_test/scenario.py on @grpc/grpc-js. Prints `ok - STEP`, or `not ok - STEP: why`.
// usage: node scenario.js DIRECTORY-OF-PROTOS   (LATCHKEY_ADDRESS, LATCHKEY_TOKEN)
'use strict';

const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const LISTED = '203.0.113.7';
const UNLISTED = '203.0.114.7';
const PROTOS = process.argv[2];
const ADMINISTRATOR = process.env.LATCHKEY_TOKEN;

function loadServices() {
  const files = ['latchkey/v1/token.proto', 'latchkey/v1/validation.proto', 'grpc/health/v1/health.proto',
    'grpc/reflection/v1/reflection.proto'];
  return grpc.loadPackageDefinition(protoLoader.loadSync(files, { includeDirs: [PROTOS], keepCase: true,
    enums: String, longs: Number, defaults: true }));
}

function loadErrors() {
  const root = new protobuf.Root();
  root.resolvePath = (_, file) => (protobuf.common.get(file) ? file : `${PROTOS}/${file}`);
  return root.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto'], { keepCase: true });
}

const api = loadServices();
const errors = loadErrors();
const address = process.env.LATCHKEY_ADDRESS;
const make = (Service) => new Service(address, grpc.credentials.createInsecure(), { 'grpc.enable_retries': 0 });
const tokens = make(api.latchkey.v1.TokenService);
const validation = make(api.latchkey.v1.ValidationService);
const health = make(api.grpc.health.v1.Health);
const reflection = make(api.grpc.reflection.v1.ServerReflection);

function expect(holds, what) {
  if (!holds) throw new Error(`expected ${what}`);
}

function metadataOf(secret) {
  const metadata = new grpc.Metadata();
  if (secret) metadata.set('authorization', `Bearer ${secret}`);
  return metadata;
}

// A unary call: its answer, or a rejection with grpc's error.
function call(client, method, request, secret) {
  return new Promise((resolve, reject) => {
    client[method](request, metadataOf(secret), { deadline: Date.now() + 20000 },
      (error, response) => (error ? reject(error) : resolve(response)));
  });
}

async function expectFailure(promise, code) {
  try {
    await promise;
  } catch (error) {
    expect(error.code === code, `code ${code}, not ${error.code}: ${error.message}`);
    return error;
  }
  throw new Error(`expected code ${code}, not OK`);
}

// The end of a stream: its error, or undefined. `onMessage` sees what comes before.
function readToEnd(stream, onMessage = () => {}) {
  return new Promise((resolve) => {
    stream.on('data', onMessage);
    stream.on('error', resolve);
    stream.on('end', () => resolve(undefined));
  });
}

// The messages of one type in grpc-status-details-bin, which grpc-js itself does not read.
function detailsOf(error, type) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const status = errors.lookupType('google.rpc.Status').decode(bytes);
  return status.details.filter((any) => any.type_url === `type.googleapis.com/${type}`)
    .map((any) => errors.lookupType(type).decode(any.value));
}

async function expectDecision(clientIp, reason) {
  const response = await call(validation, 'Validate', { token: created.secret, client_ip: clientIp,
    channel: 'CHANNEL_API', permissions: ['charges.create'] });
  const isAllowed = response.decision === 'DECISION_ALLOW';
  expect(response.reason === reason && isAllowed === (reason === 'REASON_OK'), `${reason}, not ${response.reason}`);
  expect(!isAllowed || response.token_id === created.access_token.token_id, "the token's id");
}

let created;

const STEPS = {
  async 'creates a token'() {
    created = await call(tokens, 'CreateAccessToken', { label: 'grpc-js', permissions: ['charges.create'],
      wait_for_validators: { seconds: 10 } }, ADMINISTRATOR);
    expect(created.secret.length === 55, 'a secret of 55 characters');
    expect(created.validators.all_confirmed, 'all validators confirmed');
  },
  async 'allows a listed address'() {
    await expectDecision(LISTED, 'REASON_OK');
  },
  async 'refuses an unlisted address'() {
    await expectDecision(UNLISTED, 'REASON_COMPANY_IP_NOT_LISTED');
  },
  async 'names every bad field'() {
    const request = { permissions: ['charges.destroy'], allowed_ips: ['10.0.0.1/33'] };
    const error = await expectFailure(call(tokens, 'CreateAccessToken', request, ADMINISTRATOR),
      grpc.status.INVALID_ARGUMENT);
    const fields = detailsOf(error, 'google.rpc.BadRequest').flatMap((bad) => bad.field_violations)
      .map((violation) => violation.field);
    for (const field of ['label', 'permissions[0]', 'allowed_ips[0]']) {
      expect(fields.includes(field), `a violation of ${field}, not ${fields}`);
    }
  },
  async 'deactivates and waits'() {
    const answer = await call(tokens, 'DeactivateAccessToken', { token_id: created.access_token.token_id,
      reason: 'DEACTIVATE_REASON_LEAKED', wait_for_validators: { seconds: 10 } }, ADMINISTRATOR);
    expect(answer.validators.all_confirmed && answer.validators.live > 0, 'all validators confirmed');
  },
  async 'refuses a deactivated token'() {
    await expectDecision(LISTED, 'REASON_DEACTIVATED');
  },
  async 'honours a deadline'() {
    const error = await readToEnd(health.Watch({}, metadataOf(), { deadline: Date.now() + 300 }));
    expect(error && error.code === grpc.status.DEADLINE_EXCEEDED, `DEADLINE_EXCEEDED, not ${error}`);
  },
  async 'bears a cancel'() {
    const stream = health.Watch({}, metadataOf(), { deadline: Date.now() + 20000 });
    const error = await readToEnd(stream, () => stream.cancel());
    expect(error && error.code === grpc.status.CANCELLED, `CANCELLED, not ${error}`);
    await call(tokens, 'GetCaller', {}, ADMINISTRATOR);
  },
  async 'tells its health'() {
    for (const service of ['', 'latchkey.v1.TokenService', 'latchkey.v1.ValidationService']) {
      const answer = await call(health, 'Check', { service });
      expect(answer.status === 'SERVING', `SERVING, not ${answer.status}`);
    }
    await expectFailure(call(health, 'Check', { service: 'no.such.Service' }), grpc.status.NOT_FOUND);
  },
  async 'describes itself'() {
    const stream = reflection.ServerReflectionInfo(metadataOf(), { deadline: Date.now() + 20000 });
    const names = [];
    const end = readToEnd(stream, (answer) => {
      names.push(...answer.list_services_response.service.map((service) => service.name));
      stream.end();
    });
    stream.write({ list_services: '' });
    const error = await end;
    expect(error === undefined, `the stream's end, not ${error}`);
    for (const name of ['latchkey.v1.ValidationService', 'latchkey.v1.TokenService']) {
      expect(names.includes(name), `${name}, not ${names}`);
    }
  },
};

async function main() {
  for (const [name, step] of Object.entries(STEPS)) {
    try {
      await step();
      console.log(`ok - ${name}`);
    } catch (error) {
      console.log(`not ok - ${name}: ${error.message}`);
      process.exitCode = 1;
    }
  }
  for (const client of [tokens, validation, health, reflection]) client.close();
}

main();
