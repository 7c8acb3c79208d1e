//! Where things lie on the user's machine, as the XDG base directory specification says.
//!
//! Source: <https://specifications.freedesktop.org/basedir-spec/latest/>

use std::path::PathBuf;

use pmks_driver::Environment;

/// The user's configuration folder of pmks.
pub(crate) fn configuration_folder(environment: &Environment) -> PathBuf {
    base(environment, "XDG_CONFIG_HOME", ".config").join("pmks")
}

/// The user's data folder of pmks.
pub(crate) fn data_folder(environment: &Environment) -> PathBuf {
    base(environment, "XDG_DATA_HOME", ".local/share").join("pmks")
}

/// The user's home; the working directory where there is none.
pub(crate) fn home(environment: &Environment) -> PathBuf {
    PathBuf::from(environment.get("HOME").or_else(|| environment.get("USERPROFILE")).unwrap_or("."))
}

/// A variable that is not absolute is ignored, as the specification wants it.
fn base(environment: &Environment, variable: &str, fallback: &str) -> PathBuf {
    environment
        .get(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| home(environment).join(fallback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_win_if_they_are_absolute() {
        let folder = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            configuration_folder(&Environment::new(pairs))
        };
        assert_eq!(folder(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]), PathBuf::from("/x/pmks"));
        assert_eq!(folder(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")]), PathBuf::from("/h/.config/pmks"));
        assert_eq!(folder(&[("HOME", "/h")]), PathBuf::from("/h/.config/pmks"));
    }
}
