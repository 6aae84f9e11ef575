//! Which of the allowed organizations a person belongs to, where an API of the provider's own says so.

use serde_json::{Map, Value};

use super::{requests::ProviderClient, upstream_error::UpstreamError};

impl ProviderClient {
    /// Adds the first allowed organization that the person is a member of to their claims: the API is asked
    /// with their token, about one after the other, all within the time of one exchange. What the provider
    /// said under the same name counts for nothing.
    ///
    /// # Errors
    ///
    /// The API does not answer, or not to this token, and no other answer says that they are a member: so it
    /// is not known.
    pub(super) async fn add_memberships(
        &self,
        claims: &mut Map<String, Value>,
        userinfo: &str,
        access_token: &str,
    ) -> Result<(), UpstreamError> {
        let provider = self.about();
        let organizations = provider.dialect.organizations();
        let Some((about, api)) = organizations.and_then(|about| Some((about, about.memberships?)))
        else {
            return Ok(());
        };
        claims.remove(about.claim);
        let Some(wanted) = &provider.organizations else {
            return Ok(());
        };
        let asking = async {
            let mut unknown = None;
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
                        unknown.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            unknown.map_or(Ok(None), Err)
        };
        let asked = tokio::time::timeout(self.timeout, asking).await;
        let member_of = asked.unwrap_or(Err(UpstreamError::Timeout))?;
        let member_of: Vec<Value> = member_of.into_iter().map(Value::from).collect();
        claims.insert(about.claim.to_owned(), member_of.into());
        Ok(())
    }
}
