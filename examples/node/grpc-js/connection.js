// A connection to Latchkey with @grpc/grpc-js, as the environment describes it: LATCHKEY_ADDRESS, host:port; with TLS
// if LATCHKEY_TLS_CA names a file, and with the certificate of LATCHKEY_TLS_CERTIFICATE and LATCHKEY_TLS_KEY if they do.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../../../proto', import.meta.url));

// Validate is asked again while the answer is UNAVAILABLE. So may be what changes something, if it carries a requestId.
const SERVICE_CONFIG = JSON.stringify({ methodConfig: [{ name: [{ service: 'latchkey.v1.ValidationService' }], retryPolicy: {
  maxAttempts: 4, initialBackoff: '0.05s', maxBackoff: '1s', backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'] } }] });

const api = grpc.loadPackageDefinition(protoLoader.loadSync(
  ['latchkey/v1/token.proto', 'latchkey/v1/validation.proto', 'grpc/health/v1/health.proto'],
  { includeDirs: [PROTOS], enums: String, longs: String, defaults: true }));

function readCredentials({ LATCHKEY_TLS_CA: ca, LATCHKEY_TLS_KEY: key, LATCHKEY_TLS_CERTIFICATE: certificate }) {
  if (!ca) return grpc.credentials.createInsecure();
  return grpc.credentials.createSsl(readFileSync(ca), key && readFileSync(key), certificate && readFileSync(certificate));
}

// Clients that share one connection, which is enough for the life of the process: it carries any number of calls at once
// and comes back by itself when the server does.
export function connect() {
  const address = process.env.LATCHKEY_ADDRESS;
  const channel = new grpc.Channel(address, readCredentials(process.env), { 'grpc.service_config': SERVICE_CONFIG });
  const make = (Client) => new Client(address, null, { channelOverride: channel });
  return {
    tokens: make(api.latchkey.v1.TokenService),
    validation: make(api.latchkey.v1.ValidationService),
    health: make(api.grpc.health.v1.Health),
    close: () => channel.close(),
  };
}

// Metadata that names the caller; nobody if there is no secret.
export function callerOf(secret) {
  const metadata = new grpc.Metadata();
  if (secret) metadata.set('authorization', `Bearer ${secret}`);
  return metadata;
}

// A unary call as a promise: of its answer, or rejected with grpc's error.
export function call(client, method, request, { metadata = callerOf(), timeoutMs }) {
  return new Promise((resolve, reject) => {
    client[method](request, metadata, { deadline: Date.now() + timeoutMs },
      (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}
