// Middleware for Express: a request goes on only if Latchkey admits its bearer token, from the address it came from, for
// the permissions that the route needs. Whatever goes wrong, the request is refused.
//
//   const needs = guard(connect().validation);
//   app.get('/charges', needs('charges.read'), (request, response) => ... response.locals.caller ...);
import { call } from '../grpc-js/connection.js';

const TIMEOUT_MS = 1000;
const UNAUTHENTICATED = ['REASON_MALFORMED', 'REASON_UNKNOWN', 'REASON_MEMBER_REMOVED', 'REASON_DEACTIVATED',
  'REASON_SUSPENDED', 'REASON_NOT_YET_VALID', 'REASON_EXPIRED'];

export function guard(validation) {
  return (...permissions) => async (request, response, next) => {
    let answer;
    try {
      answer = await call(validation, 'validate', { token: findBearer(request), clientIp: request.ip,
        channel: 'CHANNEL_API', permissions }, { timeoutMs: TIMEOUT_MS });
    } catch {
      return response.set('Retry-After', '1').sendStatus(503);
    }
    if (answer.decision !== 'DECISION_ALLOW') return refuse(response, answer.reason);
    response.locals.caller = answer;
    return next();
  };
}

function findBearer(request) {
  const [, token = ''] = /^bearer (.*)$/i.exec(request.get('Authorization') ?? '') ?? [];
  return token.trim();
}

function refuse(response, reason) {
  if (UNAUTHENTICATED.includes(reason)) {
    return response.set('WWW-Authenticate', 'Bearer error="invalid_token"').sendStatus(401);
  }
  if (reason === 'REASON_PERMISSION_MISSING') {
    response.set('WWW-Authenticate', 'Bearer error="insufficient_scope"');
  }
  return response.sendStatus(403);
}
