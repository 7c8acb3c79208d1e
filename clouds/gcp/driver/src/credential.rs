//! The ways to prove who acts, as data.

use pmks_driver::{Field, Form};

const fn field(
    name: &'static str,
    secret: bool,
    required: bool,
    spider: &'static str,
    help: &'static str,
) -> Field {
    Field { name, secret, required, env: "", help, spider }
}

/// The field that holds a whole key.
pub(crate) const SERVICE_ACCOUNT_KEY: &str = "serviceAccountKey";
/// The field that holds a private key alone.
pub(crate) const PRIVATE_KEY: &str = "privateKey";

/// The ways to prove who acts. The environment variables of Google's own tools name files, which no field is: ambient
/// connections read them.
pub(crate) const FORMS: &[Form] = &[
    Form {
        name: "serviceAccountKey",
        help: "a service account's key, as Google hands it out",
        fields: &[field(SERVICE_ACCOUNT_KEY, true, true, "", "the key: all of its JSON")],
    },
    Form {
        name: "serviceAccount",
        help: "the three parts of a service account's key that matter",
        fields: &[
            field("clientEmail", false, true, "ClientEmail", "the service account's address"),
            field(PRIVATE_KEY, true, true, "PrivateKey", "its private key in PEM"),
            field("projectId", false, true, "ProjectID", "the project"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use pmks_driver::Credential;

    use super::*;

    #[test]
    fn a_form_is_told_by_its_fields() {
        let form = |names: &[&str]| {
            let values = names.iter().map(|name| ((*name).to_owned(), "x".to_owned()));
            Credential::from_values(values).form(FORMS).map(|form| form.map(|form| form.name))
        };
        assert_eq!(form(&["serviceAccountKey"]).unwrap(), Some("serviceAccountKey"));
        assert_eq!(form(&["clientEmail", "privateKey", "projectId"]).unwrap(), Some("serviceAccount"));
        assert!(
            form(&["clientEmail", "privateKey"]).unwrap_err().to_string().contains("credential.projectId")
        );
        assert!(form(&["serviceAccountKey", "projectId"]).is_err());
        let fields = FORMS.iter().flat_map(|form| form.fields);
        let secret: Vec<&str> = fields.filter(|field| field.secret).map(|field| field.name).collect();
        assert_eq!(secret, ["serviceAccountKey", "privateKey"]);
    }
}
