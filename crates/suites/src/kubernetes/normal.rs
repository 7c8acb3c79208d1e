//! One form for what differs by nature between two clusters that hold the same: nothing else is touched.

use std::collections::BTreeSet;

use regex_lite::Regex;

use super::Scene;

/// The letters of names that Kubernetes makes up.
const LETTERS: &str = "[bcdfghjklmnpqrstvwxz2456789]";

/// What is replaced, and by what.
const FORMS: &[(&str, &str)] = &[
    // Before ages: its letters may look like one.
    (r"kube-api-access-[0-9a-z]{5}", "kube-api-access-<pod>"),
    // Dates, and how long ago something was.
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<date>"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<date>"),
    (r"\b\d+(s|m|m\d+s|h|h\d+m|d|d\d+h)( ago)?(\)|\s|$)", "<age>$3"),
    // Identifiers.
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r#""resourceVersion": "\d+""#, r#""resourceVersion": "<version>""#),
    (r"containerd://[0-9a-f<>uid]+", "containerd://<id>"),
    (r"(hash[=:] ?)[0-9a-z]+", "$1<hash>"),
    (r#"(hash": ")[0-9a-z]+"#, "$1<hash>"),
    // The version of Kubernetes: pods have a generation since 1.34.
    (r"Server Version: v\S+", "Server Version: <version>"),
    (r"^WARNING: version difference .*", ""),
    (r#"^\s*"generation": 1,?$"#, ""),
    // JSON ends lists without a comma, and columns are as wide as what stands in them.
    (r",$", ""),
    (r"[ \t]+", " "),
];

pub(super) struct Normal {
    forms: Vec<(Regex, String)>,
}

impl Normal {
    /// With the names that this cluster's controllers made up, and where its scheduler put what may be anywhere.
    pub(super) fn of(scene: &Scene) -> Self {
        let names = |kind: &str| {
            let form = ["-o", "jsonpath={.items[*].metadata.name}"];
            scene.succeed(&[&["get", kind, "-A"], form.as_slice()].concat()).trim().replace(' ', "|")
        };
        let mut normal = Self { forms: Vec::new() };
        normal.add(
            &format!(r"\b({})-[0-9a-z]{{6,10}}-{LETTERS}{{5}}\b", names("deployments")),
            "$1-<set>-<pod>",
        );
        normal.add(&format!(r"\b({})-[0-9a-z]{{6,10}}\b", names("deployments")), "$1-<set>");
        normal.add(&format!(r"\b({})-{LETTERS}{{5}}\b", names("daemonsets")), "$1-<pod>");
        normal.add(&format!(r"\b({})-{LETTERS}{{5}}\b", names("services")), "$1-<pod>");
        for (form, by) in FORMS {
            normal.add(form, by);
        }
        let dns = ["get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o"];
        let field = |field: &str| {
            let form = format!("jsonpath={{.items[*].{field}}}");
            scene.succeed(&[dns.as_slice(), &[&form]].concat())
        };
        normal.add_all(&field("status.podIP"), "<address of DNS>");
        normal
    }

    /// Replaces each of these words too.
    pub(super) fn add_all(&mut self, words: &str, by: &str) {
        for word in words.split_whitespace() {
            self.add(&format!(r"\b{}\b", word.replace('.', r"\.")), by);
        }
    }

    fn add(&mut self, form: &str, by: &str) {
        self.forms.push((Regex::new(form).expect("a form"), by.to_owned()));
    }

    /// The lines of a text, each once: rows are in the order of names that are made up.
    pub(super) fn lines(&self, text: &str) -> BTreeSet<String> {
        let lines = text.lines().map(|line| {
            let mut line = line.to_owned();
            for (form, by) in &self.forms {
                line = form.replace_all(&line, by.as_str()).into_owned();
            }
            line.trim().to_owned()
        });
        lines.filter(|line| !line.is_empty()).collect()
    }
}
