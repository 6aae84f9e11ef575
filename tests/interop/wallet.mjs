// What an app keeps for the TypeScript libraries of MCP, as their `OAuthClientProvider`.

/** What a client keeps between runs; the library calls it. */
export class Wallet {
  redirectUrl = 'http://127.0.0.1:49152/callback';
  logins = 0;
  asksForMore = false;

  constructor(authMethod) {
    this.clientMetadata = {
      client_name: 'Interop client',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: authMethod,
    };
  }

  /** Another process that has read the same file. */
  copy() {
    const other = new Wallet(this.clientMetadata.token_endpoint_auth_method);
    return Object.assign(other, this, { held: { ...this.held } });
  }

  state() {
    // Characters that a careless server would re-encode: it is echoed byte for byte.
    this.issuedState = `${crypto.randomUUID()}+/=~ ü`;
    return this.issuedState;
  }

  clientInformation() { return this.client; }
  saveClientInformation(information) { this.client = information; }
  /** `asksForMore`: shown a refresh token, sdk 1 would not bring the person back for more scopes. */
  tokens() { return this.asksForMore && this.held ? { ...this.held, refresh_token: undefined } : this.held; }
  saveTokens(tokens) { this.held = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  discoveryState() { return this.discovered; }
  saveDiscoveryState(state) { this.discovered = state; }

  redirectToAuthorization(url) {
    this.authorizationUrl = url.href;
    this.logins += 1;
  }

  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'client') this.client = undefined;
    if (scope === 'all' || scope === 'tokens') this.held = undefined;
    if (scope === 'all' || scope === 'verifier') this.verifier = undefined;
    if (scope === 'all' || scope === 'discovery') this.discovered = undefined;
  }
}
