//! Which of the allowed organizations a person belongs to, where an API of the provider's own says so.

use serde_json::Value;

use super::{identity::Identity, requests::ProviderClient, upstream_error::UpstreamError};

impl ProviderClient {
    /// Adds the first allowed organization that the person is a member of to their claims: the API is asked
    /// with their token, about one after the other, all within the time of one exchange. What the provider
    /// said under the same name counts for nothing. Where it does not let the token ask, they are no member: a
    /// new login may bring a token that may.
    ///
    /// # Errors
    ///
    /// The API does not answer, so it is not known.
    pub(super) async fn add_memberships(
        &self,
        person: &mut Identity,
        userinfo: &str,
        access_token: &str,
    ) -> Result<(), UpstreamError> {
        let provider = self.about();
        let organizations = provider.dialect.organizations();
        let Some((about, api)) = organizations.and_then(|about| Some((about, about.memberships?)))
        else {
            return Ok(());
        };
        person.claims.remove(about.claim);
        let Some(wanted) = &provider.organizations else {
            return Ok(());
        };
        let (claims, untold) = (&person.claims, &mut person.untold);
        let asking = async {
            for entry in wanted {
                let Ok(entry) = (about.entry)(entry.trim()) else {
                    continue;
                };
                let url = (api.url)(userinfo, &entry, claims).ok_or_else(|| {
                    UpstreamError::Malformed(format!("no URL says who is in `{entry}`"))
                })?;
                match self.get_json(&url, access_token).await {
                    Ok(answer) if (api.is_member)(&answer) => return Ok(Some(entry)),
                    Ok(_) | Err(UpstreamError::NotPermitted { status: 404, .. }) => {}
                    Err(error @ UpstreamError::NotPermitted { .. }) => {
                        untold.get_or_insert(format!("asked about `{entry}`, {error}"));
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(None)
        };
        let asked = tokio::time::timeout(self.timeout, asking).await;
        let member_of = asked.unwrap_or(Err(UpstreamError::Timeout))?;
        let member_of: Vec<Value> = member_of.into_iter().map(Value::from).collect();
        let claim = about.claim.to_owned();
        person.claims.insert(claim, member_of.into());
        Ok(())
    }
}
