//! Machines that could not work, in words for the operator.

use super::builder::OAuthProxyConfigBuilder;
use crate::{
    error::ConfigError,
    oauth::{ScopeImplications, ScopeSet},
};

/// A machine where no token is issued here, one with a scope that is not offered, and one without a scope
/// that every request needs. What is wrong with a machine by itself, the client room says.
pub(super) fn check_machines(
    builder: &OAuthProxyConfigBuilder,
    scopes: &ScopeSet,
    required: &ScopeSet,
    implications: &ScopeImplications,
) -> Result<(), ConfigError> {
    let machines = builder.static_clients.iter();
    for machine in machines.filter(|client| client.is_machine()) {
        let refuse = |why: String| {
            let why = format!("client `{}` {why}", machine.shown_id());
            Err(ConfigError::new("static_clients", why))
        };
        if builder.passthrough.is_some() {
            let why = "is a machine, and passthrough hands out the provider's tokens: there is none for it; \
                       leave out one of the two";
            return refuse(why.to_owned());
        }
        let own = machine.machine_scopes();
        // Of `offline_access` the client room says why it is none for a machine.
        let is_known = |scope: &String| scopes.contains(scope) || scope == "offline_access";
        if let Some(unknown) = own.iter().find(|scope| !is_known(scope)) {
            let why = "is not one of `scopes`";
            return refuse(format!(
                "is a machine with the scope `{unknown}`, which {why}"
            ));
        }
        let named = ScopeSet::of_what_fits(own.iter().map(String::as_str));
        let good_for = implications.extend(&named);
        if let Some(missing) = required.iter().find(|scope| !good_for.contains(scope)) {
            return refuse(format!(
                "is a machine without the scope `{missing}`, which required_scopes asks of every request: \
                 add it to the machine's scopes"
            ));
        }
    }
    Ok(())
}
