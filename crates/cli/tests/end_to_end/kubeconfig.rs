//! The kubeconfig: merged, never overwritten. What is merged is tested beside the code; here, the file.

use crate::sandbox::Sandbox;

#[test]
fn a_kubeconfig_is_merged_and_what_is_none_is_left_alone() {
    let user = Sandbox::new();
    let server = user.serve(&["--simulated", "aws", "--speed", "4000"]);
    let on = |args: &[&'static str]| user.good(&[&["-c", "aws-simulated"], args].concat());
    on(&["connection", "prerequisites", "aws-simulated", "--fix"]);
    on(&[
        "network",
        "create",
        "n",
        "--cidr",
        "10.0.0.0/16",
        "--subnet",
        "name=s,cidr=10.0.0.0/20,zone=ap-northeast-2a",
        "--subnet",
        "name=t,cidr=10.0.16.0/20,zone=ap-northeast-2c",
    ]);
    on(&["cluster", "create", "c", "--network", "n", "--subnet", "s", "--subnet", "t"]);

    let mine = user.write("mine", "apiVersion: v1\nkind: Config\nmystery: {a: 1}\nclusters:\n- name: other\n  cluster: {server: https://other}\ncurrent-context: other\n");
    on(&["cluster", "kubeconfig", "c", "--file", "mine"]);
    on(&["cluster", "kubeconfig", "c", "--file", "mine"]);
    let merged: serde_json::Value = serde_saphyr::from_str(&std::fs::read_to_string(&mine).unwrap()).unwrap();
    assert_eq!(merged["mystery"]["a"], 1);
    assert_eq!(merged["clusters"].as_array().unwrap().len(), 2);
    assert_eq!(merged["current-context"], "c@aws-simulated");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&mine).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    let notes = user.write("notes", "- milk\n- eggs\n");
    let refused = user.run(&["-c", "aws-simulated", "cluster", "kubeconfig", "c", "--file", "notes"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert_eq!(std::fs::read_to_string(notes).unwrap(), "- milk\n- eggs\n");

    let printed = on(&["cluster", "kubeconfig", "c", "--print"]);
    assert!(printed.out.contains("current-context: c@aws-simulated"), "{printed:?}");
    assert!(!printed.out.contains("token:"), "{printed:?}");
    assert_eq!(server.terminate(), Some(0));
}
