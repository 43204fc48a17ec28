// The script of examples/README.md on @grpc/grpc-js.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';

import { expect, expectCode, expectFields, run } from '../steps.js';
import { call, callerOf, connect } from './connection.js';

const LISTED = '203.0.113.7';
const UNLISTED = '203.0.114.7';
const PROTOS = fileURLToPath(new URL('../../../proto', import.meta.url));
const SECRET = process.env.LATCHKEY_TOKEN;

const { tokens, validation, health, close } = connect();
const byAdministrator = { metadata: callerOf(SECRET), timeoutMs: 20000 };
const byNobody = { timeoutMs: 20000 };
let created;

// The messages of one type in grpc-status-details-bin, which grpc-js itself does not read.
function findDetails(error, type) {
  const root = new protobuf.Root();
  root.resolvePath = (_, file) => (protobuf.common.get(file) ? file : `${PROTOS}/${file}`);
  root.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto']);
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  return root.lookupType('google.rpc.Status').decode(bytes).details
    .filter((any) => any.type_url === `type.googleapis.com/${type}`)
    .map((any) => root.lookupType(type).decode(any.value));
}

// Reads a stream to its end, rejected with grpc's error.
function readToEnd(stream, onMessage = () => {}) {
  return new Promise((resolve, reject) => {
    stream.on('data', onMessage).on('error', reject).on('end', resolve);
  });
}

// minRevision: by what was true when the token was made, or later.
async function expectDecision(clientIp, reason) {
  const answer = await call(validation, 'validate', { token: created.secret, clientIp, channel: 'CHANNEL_API',
    permissions: ['charges.create'], minRevision: created.revision }, byNobody);
  const isAllowed = answer.decision === 'DECISION_ALLOW';
  expect(answer.reason === reason && isAllowed === (reason === 'REASON_OK'), `${reason}, not ${answer.reason}`);
  expect(!isAllowed || answer.tokenId === created.accessToken.tokenId, "the token's id");
}

await run({
  async 'creates a token'() {
    created = await call(tokens, 'createAccessToken', { label: 'grpc-js', permissions: ['charges.create'],
      requestId: randomUUID(), waitForValidators: { seconds: 10 } }, byAdministrator);
    expect(created.secret.length === 55, 'a secret of 55 characters');
    expect(created.validators.allConfirmed, 'all validators confirmed');
  },
  'allows a listed address': () => expectDecision(LISTED, 'REASON_OK'),
  'refuses an unlisted address': () => expectDecision(UNLISTED, 'REASON_COMPANY_IP_NOT_LISTED'),
  async 'names every bad field'() {
    const request = { permissions: ['charges.destroy'], allowedIps: ['10.0.0.1/33'] }; // without a label
    const error = await expectCode(grpc.status.INVALID_ARGUMENT,
      call(tokens, 'createAccessToken', request, byAdministrator));
    expectFields(findDetails(error, 'google.rpc.BadRequest').flatMap((bad) => bad.fieldViolations)
      .map((violation) => violation.field));
  },
  async 'pages through a list'() {
    const pages = [];
    let pageToken = '';
    do {
      const page = await call(tokens, 'listAccessTokens', { pageSize: 1, pageToken }, byAdministrator);
      expect(page.accessTokens.length <= 1, 'one token on a page');
      pages.push(...page.accessTokens.map((token) => token.tokenId));
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(pages.length > 1 && pages.includes(created.accessToken.tokenId), 'the token on one of several pages');
  },
  async 'deactivates and waits'() {
    const answer = await call(tokens, 'deactivateAccessToken', { tokenId: created.accessToken.tokenId,
      reason: 'DEACTIVATE_REASON_LEAKED', requestId: randomUUID(), waitForValidators: { seconds: 10 } },
    byAdministrator);
    expect(answer.validators.allConfirmed && answer.validators.live > 0, 'all validators confirmed');
  },
  'refuses a deactivated token': () => expectDecision(LISTED, 'REASON_DEACTIVATED'),
  async 'honours a deadline'() {
    const stream = health.watch({}, callerOf(), { deadline: Date.now() + 300 });
    await expectCode(grpc.status.DEADLINE_EXCEEDED, readToEnd(stream));
  },
  async 'bears a cancel'() {
    const stream = health.watch({}, callerOf(), { deadline: Date.now() + 20000 });
    await expectCode(grpc.status.CANCELLED, readToEnd(stream, () => stream.cancel()));
    await call(tokens, 'getCaller', {}, byAdministrator);
  },
  async 'tells its health'() {
    for (const service of ['', 'latchkey.v1.TokenService', 'latchkey.v1.ValidationService']) {
      const answer = await call(health, 'check', { service }, byNobody);
      expect(answer.status === 'SERVING', `SERVING, not ${answer.status}`);
    }
    await expectCode(grpc.status.NOT_FOUND, call(health, 'check', { service: 'no.such.Service' }, byNobody));
  },
  async 'carries metadata'() {
    const metadata = new grpc.Metadata();
    metadata.set('x-access-token', SECRET);
    const { caller } = await call(tokens, 'getCaller', {}, { metadata, timeoutMs: 20000 });
    expect(caller.tokenId.startsWith('tok_'), "the caller's token");
    await expectCode(grpc.status.UNAUTHENTICATED, call(tokens, 'getCaller', {}, byNobody));
  },
});
close();
