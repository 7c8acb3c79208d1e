//! What a service is handed for one verified call: the world, the place, the caller, the moment, the faults.

use pmks_simulation::{Effects, Now};

use crate::world::{Place, Region, World};

/// Who called, proven by the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The account.
    pub(crate) account: String,
    /// `arn:aws:iam::…:user/…` or `arn:aws:sts::…:assumed-role/…/…`.
    pub(crate) arn: String,
    /// `AIDA…`, or `AROA…:session`.
    pub(crate) user_id: String,
    /// The access key used; empty where a token of another kind proved the caller.
    pub(crate) access_key: String,
}

impl Caller {
    /// The principal as IAM and EKS know it: a session's role instead of the session.
    pub(crate) fn principal_arn(&self) -> String {
        let session =
            self.arn.strip_prefix("arn:aws:sts::").and_then(|rest| rest.split_once(":assumed-role/"));
        match session.and_then(|(account, rest)| rest.split_once('/').map(|(role, _)| (account, role))) {
            Some((account, role)) => format!("arn:aws:iam::{account}:role/{role}"),
            None => self.arn.clone(),
        }
    }
}

/// One call.
pub(crate) struct Context<'a> {
    /// The world, settled up to `now`.
    pub(crate) world: &'a mut World,
    /// The caller's account in the region of the credential scope.
    pub(crate) place: Place,
    /// Who called.
    pub(crate) caller: Caller,
    /// The moment, in both readings.
    pub(crate) now: Now,
    /// Faults that only the service can act out.
    pub(crate) effects: &'a Effects,
    /// The answer's request id.
    pub(crate) request_id: String,
}

impl Context<'_> {
    /// What is held at this place, to read.
    pub(crate) fn region(&self) -> &Region {
        self.world.region(&self.place)
    }

    /// What is held at this place, to change.
    pub(crate) fn region_mut(&mut self) -> &mut Region {
        self.world.region_mut(&self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_by_its_role() {
        let caller = |arn: &str| Caller {
            account: "1".into(),
            arn: arn.into(),
            user_id: String::new(),
            access_key: String::new(),
        };
        let of = |arn: &str| caller(arn).principal_arn();
        assert_eq!(
            of("arn:aws:sts::111122223333:assumed-role/deploy/me"),
            "arn:aws:iam::111122223333:role/deploy"
        );
        assert_eq!(of("arn:aws:iam::111122223333:user/pmks"), "arn:aws:iam::111122223333:user/pmks");
    }
}
