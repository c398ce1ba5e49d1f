// An OpenID Connect issuer on loopback: a person signs in by any name, a program by its client id and secret.
// It prints its address when it is ready.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const AUDIENCE = "mainsheet";
const PEOPLE = {
  ada: { email: "ada@acme.example", email_verified: true, name: "Ada Lovelace", groups: ["engineers"] },
  eve: { email: "eve@elsewhere.example", email_verified: true, name: "Eve", groups: [] },
};

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "frontend",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code"],
        redirect_uris: ["https://frontend.acme.example/signed-in"],
      },
      {
        client_id: "plane",
        client_secret: "the secret of the plane",
        token_endpoint_auth_method: "client_secret_post",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    findAccount: (_context, id) => PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) },
    extraTokenClaims: (_context, token) => PEOPLE[token.accountId],
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://api.acme.example",
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: "jobs", audience: AUDIENCE, accessTokenFormat: "jwt" }),
      },
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
