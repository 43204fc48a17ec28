// A connection to Latchkey with @connectrpc/connect-node, as the environment describes it: LATCHKEY_ADDRESS, host:port;
// with TLS if LATCHKEY_TLS_CA names a file, and with the certificate of LATCHKEY_TLS_CERTIFICATE and LATCHKEY_TLS_KEY if
// they do.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';

import { Health } from '../gen/grpc/health/v1/health_pb.js';
import { TokenService } from '../gen/latchkey/v1/token_pb.js';
import { ValidationService } from '../gen/latchkey/v1/validation_pb.js';

const PAUSES_MS = [50, 100, 200];

// Validate is asked again while the answer is UNAVAILABLE. So may be what changes something, if it carries a requestId.
const retry = (next) => async (request) => {
  for (const pauseMs of request.method === ValidationService.method.validate ? PAUSES_MS : []) {
    try {
      return await next(request);
    } catch (error) {
      if (!isUnavailable(ConnectError.from(error), request.signal)) throw error;
      await sleep(pauseMs, undefined, { signal: request.signal });
    }
  }
  return next(request);
};

// Also where the connection broke, of which the library says that the call was canceled, by whomever.
function isUnavailable(error, signal) {
  return error.code === Code.Unavailable || (error.code === Code.Canceled && !signal.aborted);
}

function readTls({ LATCHKEY_TLS_CA: ca, LATCHKEY_TLS_KEY: key, LATCHKEY_TLS_CERTIFICATE: certificate }) {
  return ca && { ca: readFileSync(ca), key: key && readFileSync(key), cert: certificate && readFileSync(certificate) };
}

// Clients that share one connection, which is enough for the life of the process: it carries any number of calls at once
// and comes back by itself when the server does. The other createTransport that fits is createConnectTransport: Latchkey
// speaks either protocol on the same port.
export function connect(createTransport = createGrpcTransport) {
  const tls = readTls(process.env);
  const baseUrl = `${tls ? 'https' : 'http'}://${process.env.LATCHKEY_ADDRESS}`;
  const sessionManager = new Http2SessionManager(baseUrl, undefined, tls);
  const transport = createTransport({ baseUrl, httpVersion: '2', sessionManager, interceptors: [retry] });
  return {
    tokens: createClient(TokenService, transport),
    validation: createClient(ValidationService, transport),
    health: createClient(Health, transport),
    close: () => sessionManager.abort(),
  };
}

// Headers that name the caller.
export function callerOf(secret) {
  return { authorization: `Bearer ${secret}` };
}
