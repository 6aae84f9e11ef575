//! `POST {base}/oauth/token`: tokens (RFC 6749 sections 4.1.3, 4.4 and 6). One file for each grant type.
//!
//! # The order of the checks
//!
//! What a refusal reveals, and what it ends, depends on what was asked before. Of every grant type:
//!
//! | | check | refusal | why here |
//! |---|---|---|---|
//! | 1 | the body is a form, each parameter once (but `resource`) | `invalid_request` | what reads in two ways is not judged |
//! | 2 | the client is known, then not denied, then authenticated | `invalid_client` | no stranger learns or ends anything; and a client that is not known any more has to hear it, or keeps its dead registration for ever. The deny list costs a stranger with a known `client_id` one read of the store, as at authorize |
//! | | an assertion: its `typ`, `iss` and `sub`, `aud`, times, `jti`, then its signature | `invalid_client`; 503 where its keys cannot be had | nothing is fetched for one that could not count whoever signed it. It is not used up yet: whoever registers can sign any number, and a stranger's request writes nothing |
//! | | `grant_type` is there, is served, and this client may use it | `invalid_request`, `unsupported_grant_type`, `unauthorized_client` | what else would be asked depends on it |
//! | 3 | code or refresh token is one of ours | `invalid_grant` | before its record is read: garbage costs no round trip more |
//! | 4 | the record is settled and readable | 503 | a token must not be judged by a record that may be wrong |
//!
//! `authorization_code`: what has to be *proven* comes before the replay, what is merely *wanted*
//! after it.
//!
//! | | check | refusal | why here |
//! |---|---|---|---|
//! | 5 | the code's secret, in constant time | `invalid_grant` | the id in front of it stands in access tokens |
//! | 6 | it is this client's | `invalid_grant` | another client's request must not end a grant |
//! | 7 | it has not expired | `invalid_grant` | an old code from some log ends nothing |
//! | 8 | `redirect_uri`, then `code_verifier` | `invalid_grant`; `invalid_request` without a verifier | a stranger with a leaked code ends nothing |
//! | | the client's assertion was not used before | `invalid_client` | only who logged in comes this far; and whoever copied the client's request ends nothing with it |
//! | 9 | it was not redeemed before | `invalid_grant`, **the grant ends** | only a request that has all that the client has is a replay; and no wrong `resource` hides it |
//! | 10 | `resource` | `invalid_target` | before the code is consumed: a mistake here can be mended |
//!
//! `refresh_token`:
//!
//! | | check | refusal | why here |
//! |---|---|---|---|
//! | 5 | the grant is live and this client's | `invalid_grant` | another client's request must not end a grant |
//! | | the client's assertion was not used before | `invalid_client` | as above |
//! | 6 | the token is live, or its grace runs | `invalid_grant`, **the grant ends** | before all that could refuse the request: a wider `scope` or a foreign `resource` must not hide a theft |
//! | 7 | the provider's token is alive, or can be renewed, and the grant's last day has not come | `invalid_grant`, **the grant ends** | the person has to come again, whatever is asked for |
//! | 8 | `scope`, then `resource` | `invalid_scope`, `invalid_target` | before the provider is asked, and before anything changes |
//! | | `token_requests_per_minute` of the grant | 429 | after all that could end the grant: a limit that is reached must not hide a theft |
//! | 9 | the provider's token is fresh | 503 | the last that can fail: after it one swap rotates |
//!
//! After the wait for the provider 5 to 8 are asked again, of the record that is about to change. A
//! token that was good when it came is then refused without an end of the grant: others were faster,
//! and it was not presented after its time.
//!
//! `urn:ietf:params:oauth:grant-type:jwt-bearer`: 2 is left out where the request names no client and some issuer
//! has workloads.
//!
//! | | check | refusal | why here |
//! |---|---|---|---|
//! | 5 | the assertion's issuer is trusted with some | `invalid_grant` | no keys are asked for in a stranger's name |
//! | 6 | one of its keys signed it | `invalid_grant`; 503 where the keys cannot be had | before anything that it says counts |
//! | 7 | type, audience, times, `jti`, subject, resources | `invalid_grant` | what any such assertion has to say |
//! | 8 | `assertion_claim`; the workload is named, or the issuer is trusted with people and the client is the assertion's and authenticated | `invalid_grant`; `invalid_client` for a public one | what this issuer may say, and to whom |
//! | 9 | `scope`, then `resource` | `invalid_scope`, `invalid_target` | a mistake here can be mended, with the same assertion |
//! | | `token_requests_per_minute` of the issuer's subject | 429 | only whom the issuer vouches for has a bucket; before the hook, which may cost |
//! | 10 | the operator's lists, then the hook | `invalid_grant`; 503 | as at a login |
//! | 11 | it was not used before, and neither was the client's own assertion | `invalid_grant`, `invalid_client` | the last: what is refused before can be tried again, and exactly one request makes a grant of it |
//!
//! `client_credentials`: `scope`, then `resource` (`invalid_scope`, `invalid_target`), then `token_requests_per_minute`
//! of the client (429), then the client's assertion was not used before (`invalid_client`). Nothing else is written.
//!
//! An answer goes out only for an assertion that was not used before, whatever the grant type, and a 503 or 429
//! gives it back where the store can be told ([`Caller::settle`](super::caller::Caller::settle)).
//!
//! In passthrough mode the refresh token itself is the record: it opens for its client alone; whether
//! it is of the configured provider, its end and the grant's last day, `scope`, `resource`,
//! `token_requests_per_minute` and the client's assertion are asked before the provider.

mod allowed_grant;
mod answer;
mod authorization_code;
mod client_credentials;
mod code_proof;
mod dispatch;
mod jwt_bearer;
mod passthrough;
mod presented_grant;
mod refresh_check;
mod refresh_token;
mod request;

pub(super) use dispatch::handle;
