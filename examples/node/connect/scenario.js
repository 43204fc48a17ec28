// The script of examples/README.md on @connectrpc/connect-node, in gRPC or, with the argument `connect`, in Connect.
import { randomUUID } from 'node:crypto';

import { Code } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';

import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.js';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '../gen/grpc/health/v1/health_pb.js';
import { Channel, Decision, Reason } from '../gen/latchkey/v1/decision_pb.js';
import { DeactivateReason } from '../gen/latchkey/v1/token_pb.js';
import { expect, expectCode, expectFields, run } from '../steps.js';
import { callerOf, connect } from './connection.js';

const LISTED = '203.0.113.7';
const UNLISTED = '203.0.114.7';
const SECRET = process.env.LATCHKEY_TOKEN;

const { tokens, validation, health, close } =
  connect(process.argv[2] === 'connect' ? createConnectTransport : createGrpcTransport);
const byAdministrator = { headers: callerOf(SECRET), timeoutMs: 20000 };
const byNobody = { timeoutMs: 20000 };
let created;

// Reads a stream to its end.
async function readToEnd(stream, onMessage = () => {}) {
  for await (const message of stream) onMessage(message);
}

// minRevision: by what was true when the token was made, or later.
async function expectDecision(clientIp, reason) {
  const answer = await validation.validate({ token: created.secret, clientIp, channel: Channel.API,
    permissions: ['charges.create'], minRevision: created.revision }, byNobody);
  const isAllowed = answer.decision === Decision.ALLOW;
  expect(answer.reason === reason && isAllowed === (reason === Reason.OK),
    `${Reason[reason]}, not ${Reason[answer.reason]}`);
  expect(!isAllowed || answer.tokenId === created.accessToken.tokenId, "the token's id");
}

await run({
  async 'creates a token'() {
    created = await tokens.createAccessToken({ label: 'connect-node', permissions: ['charges.create'],
      requestId: randomUUID(), waitForValidators: { seconds: 10n } }, byAdministrator);
    expect(created.secret.length === 55, 'a secret of 55 characters');
    expect(created.validators.allConfirmed, 'all validators confirmed');
  },
  'allows a listed address': () => expectDecision(LISTED, Reason.OK),
  'refuses an unlisted address': () => expectDecision(UNLISTED, Reason.COMPANY_IP_NOT_LISTED),
  async 'names every bad field'() {
    const request = { permissions: ['charges.destroy'], allowedIps: ['10.0.0.1/33'] }; // without a label
    const error = await expectCode(Code.InvalidArgument, tokens.createAccessToken(request, byAdministrator));
    expectFields(error.findDetails(BadRequestSchema).flatMap((bad) => bad.fieldViolations)
      .map((violation) => violation.field));
  },
  async 'pages through a list'() {
    const pages = [];
    let pageToken = '';
    do {
      const page = await tokens.listAccessTokens({ pageSize: 1, pageToken }, byAdministrator);
      expect(page.accessTokens.length <= 1, 'one token on a page');
      pages.push(...page.accessTokens.map((token) => token.tokenId));
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(pages.length > 1 && pages.includes(created.accessToken.tokenId), 'the token on one of several pages');
  },
  async 'deactivates and waits'() {
    const answer = await tokens.deactivateAccessToken({ tokenId: created.accessToken.tokenId,
      reason: DeactivateReason.LEAKED, requestId: randomUUID(), waitForValidators: { seconds: 10n } }, byAdministrator);
    expect(answer.validators.allConfirmed && answer.validators.live > 0, 'all validators confirmed');
  },
  'refuses a deactivated token': () => expectDecision(LISTED, Reason.DEACTIVATED),
  async 'honours a deadline'() {
    await expectCode(Code.DeadlineExceeded, readToEnd(health.watch({}, { timeoutMs: 300 })));
  },
  async 'bears a cancel'() {
    const controller = new AbortController();
    const stream = health.watch({}, { signal: controller.signal, timeoutMs: 20000 });
    await expectCode(Code.Canceled, readToEnd(stream, () => controller.abort()));
    await tokens.getCaller({}, byAdministrator);
  },
  async 'tells its health'() {
    for (const service of ['', 'latchkey.v1.TokenService', 'latchkey.v1.ValidationService']) {
      const answer = await health.check({ service }, byNobody);
      expect(answer.status === ServingStatus.SERVING, `SERVING, not ${ServingStatus[answer.status]}`);
    }
    await expectCode(Code.NotFound, health.check({ service: 'no.such.Service' }, byNobody));
  },
  async 'carries metadata'() {
    const { caller } = await tokens.getCaller({}, { headers: { 'x-access-token': SECRET }, timeoutMs: 20000 });
    expect(caller.tokenId.startsWith('tok_'), "the caller's token");
    await expectCode(Code.Unauthenticated, tokens.getCaller({}, byNobody));
  },
});
close();
