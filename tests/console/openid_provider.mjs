// A kept OpenID provider (npm's oidc-provider), with one client and its own pages, in which everybody is who they type they are:
//
//     node openid_provider.mjs LIBRARY ISSUER REDIRECT_URI CLIENT SECRET
//
// It listens at its issuer, http://127.0.0.1:PORT, and says "ready" when it does. Addresses that begin with "unverified" are not verified.

const [library, issuer, redirectUri, clientId, clientSecret] = process.argv.slice(2);
const {Provider} = await import(library);

const provider = new Provider(issuer, {
    clients: [{client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri]}],
    claims: {openid: ["sub"], email: ["email", "email_verified"]},
    conformIdTokenClaims: false,
    pkce: {required: () => true},
    findAccount: (_, id) => ({accountId: id, claims: () => ({sub: id, email: id, email_verified: !id.startsWith("unverified")})}),
    cookies: {keys: ["for tests"]},
});
provider.listen(Number(new URL(issuer).port), "127.0.0.1", () => console.log("ready"));
