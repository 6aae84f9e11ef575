//! What a client asks for at the token endpoint: `grant_type` (RFC 6749 section 4).

/// A grant type that this crate knows. Which of them a deployment serves is one list,
/// `Options::grant_types`: the token endpoint, the metadata and the answers to registrations read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantType {
    /// A code of a login: RFC 6749 section 4.1.
    AuthorizationCode,
    /// RFC 6749 section 6.
    RefreshToken,
    /// A client in its own name: RFC 6749 section 4.4.
    ClientCredentials,
    /// An assertion about a person or a workload: RFC 7523 section 2.1.
    JwtBearer,
}

impl GrantType {
    /// All of them, in the order in which metadata lists those that are served.
    pub(crate) const ALL: [Self; 4] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::JwtBearer,
    ];

    /// As it stands in a request and in metadata.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// The grant type of this name; `None` where it is not one of these.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// Whether a person logs in first: all that a client that registered itself may use.
    pub(crate) fn needs_login(self) -> bool {
        matches!(self, Self::AuthorizationCode | Self::RefreshToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_type_has_one_name() {
        for known in GrantType::ALL {
            assert_eq!(GrantType::parse(known.as_str()), Some(known));
        }
        for other in [
            "",
            "password",
            "Client_Credentials",
            "client_credentials ",
            "jwt-bearer",
        ] {
            assert_eq!(GrantType::parse(other), None, "{other}");
        }
    }
}
