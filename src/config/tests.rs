//! The configuration as a whole: mistakes with their places, the environment, secrets, the shipped files.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::*;

const GOOD: &str = r#"
[azure]
account = "acct"
credential = "managed-identity"

[source]
region = "eu-central-1"

[[bucket]]
name = "local-rocksdb-test"
container = "flink"

[facade]
listen = "127.0.0.1:9000"

[[facade.key]]
name = "flink"
access_key_id = "BBFLINK"
secret_env = "FLINK_SECRET"
buckets = ["local-rocksdb-test"]
verbs = ["read", "list"]
"#;

fn environment(variables: &[(&str, &str)]) -> Environment {
    let secret = [("FLINK_SECRET", "canary-config-0123456789")];
    secret.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, Mistakes> {
    Config::parse(text, "test.toml", PathBuf::new(), &environment(variables), Secrets::Required)
}

fn mistakes(text: &str, variables: &[(&str, &str)]) -> String {
    parse(text, variables).expect_err("the configuration is wrong").to_string()
}

#[test]
fn a_good_file_is_understood() {
    let config = parse(GOOD, &[]).unwrap();
    assert_eq!(config.azure.endpoint.to_string(), "https://acct.blob.core.windows.net");
    assert_eq!(config.azure.state_container.as_str(), "bluebucket-state");
    assert_eq!(config.sources[0].endpoint.to_string(), "https://s3.eu-central-1.amazonaws.com");
    let source = config.buckets[0].source.as_ref().unwrap();
    assert_eq!((source.source.as_str(), source.bucket.as_str()), ("default", "local-rocksdb-test"));
    let facade = config.facade.unwrap();
    assert_eq!(facade.keys[0].secret.value.expose(), "canary-config-0123456789");
    assert_eq!(facade.keys[0].rules[0].verbs, [Verb::Read, Verb::List]);
    assert!(facade.keys[0].reaches(&config.buckets[0].name));
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:9090");
    assert_eq!(config.mover, MoverConfig::default());
}

#[test]
fn all_mistakes_are_told_at_once_with_their_places() {
    let text = r#"[azure]
acount = "acct"
credential = "workload-identty"
account_key = "x"

[sauce]
region = "x"

[source]
region = "eu-central-1"

[[bucket]]
name = "Local"
container = "flink"

[mover]
block_size = "8mib"
concurrency = 0

[[facade.key]]
name = "flink"
"#;
    let told = mistakes(text, &[("BLUEBUCKET_MOVER_THREDS", "2"), ("BLUEBUCKET_MOVER_THREADS", "two")]);
    for expected in [
        "test.toml:2:1: azure.acount: unknown key; did you mean \"account\"?",
        "test.toml:3:14: azure.credential: must be one of",
        "did you mean \"workload-identity\"?",
        "test.toml:4:1: azure.account_key: unknown key; secrets do not belong in this file",
        "test.toml:6:2: sauce: unknown section; did you mean \"source\"?",
        "test.toml:13:8: bucket.name: must hold only lower-case letters",
        "test.toml:17:14: mover.block_size: must be a size such as \"8MiB\"",
        "test.toml:18:15: mover.concurrency: must be at least 1",
        "facade.listen: is missing",
        "test.toml:20:1: facade.key.access_key_id: is missing",
        "test.toml:20:1: facade.key.buckets: is missing",
        "environment BLUEBUCKET_MOVER_THREDS: means nothing to this program; did you mean \"BLUEBUCKET_MOVER_THREADS\"?",
        "environment BLUEBUCKET_MOVER_THREADS: mover.threads: must be a whole number",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
}

#[test]
fn uploads_expire_only_where_it_is_said() {
    assert_eq!(parse(GOOD, &[]).unwrap().buckets[0].upload_ttl, None);
    let with =
        |ttl: &str| GOOD.replace("container = \"flink\"", &format!("container = \"flink\"\nupload_ttl = \"{ttl}\""));
    let config = parse(&with("45d"), &[]).unwrap();
    assert_eq!(config.buckets[0].upload_ttl, Some(Duration::from_secs(45 * 86_400)));
    assert!(config.show().contains("upload_ttl = \"3888000s\""), "{}", config.show());
    assert!(mistakes(&with("30m"), &[]).contains("bucket.upload_ttl: must be at least \"1h\""));
}

#[test]
fn a_broken_file_is_told_with_its_line() {
    let told = mistakes("[azure]\naccount = \"acct\ncredential = \"managed-identity\"\n[mover]\nthreads = 1 2\n", &[]);
    assert!(told.contains("test.toml:2:") && told.contains("test.toml:5:"), "{told}");
}

#[test]
fn the_environment_overrides_the_file() {
    let config = parse(
        GOOD,
        &[
            ("BLUEBUCKET_AZURE_ACCOUNT", "other"),
            ("BLUEBUCKET_MOVER_BLOCK_SIZE", "16MiB"),
            ("BLUEBUCKET_FACADE_LIMITS_MAX_IN_FLIGHT", "7"),
            ("BLUEBUCKET_FACADE_DOMAINS", "a.example, b.example"),
            ("BLUEBUCKET_LOG_FORMAT", "json"),
            ("BLUEBUCKET_SERVICE_HOST", "10.0.0.1"),
        ],
    )
    .unwrap();
    assert_eq!(config.azure.account, "other");
    assert_eq!(config.mover.block_size, 16 << 20);
    let facade = config.facade.unwrap();
    assert_eq!(facade.limits.in_flight_max, 7);
    assert_eq!(facade.domains, ["a.example", "b.example"]);
}

/// Each row changes one line of the good file and names the mistake that follows.
#[test]
fn rules_table() {
    let key =
        "[[facade.key]]\nname = \"x\"\naccess_key_id = \"BBFLINK\"\nsecret_env = \"FLINK_SECRET\"\nbuckets = [\"*\"]\n";
    let bucket = |name: &str, container: &str| {
        GOOD.replace("[facade]", &format!("[[bucket]]\nname = \"{name}\"\ncontainer = \"{container}\"\n[facade]"))
    };
    let cases = [
        (GOOD.replace("127.0.0.1:9000", "0.0.0.0:9000"), "facade.listen: other machines reach this address"),
        (format!("{GOOD}{key}"), "\"BBFLINK\" belongs to two keys"),
        (bucket("local-rocksdb-test", "iceberg"), "is the name of two buckets"),
        (bucket("local-iceberg-test", "flink"), "is the container of two buckets"),
        (bucket("local-iceberg-test", "bluebucket-state"), "keeps its own state in"),
        (bucket("local-iceberg-test", "a--b"), "two hyphens in a row"),
        (GOOD.replace("FLINK_SECRET", "NOBODY_SET_THIS"), "environment NOBODY_SET_THIS: is not set"),
        (
            GOOD.replace("[\"local-rocksdb-test\"]", "[\"local-rocksdb\"]"),
            "there is no [[bucket]] of the name \"local-rocksdb\"; did you mean \"local-rocksdb-test\"?",
        ),
        (GOOD.replace("\"list\"]", "\"lst\"]"), "did you mean \"list\"?"),
        (GOOD.replace("container = \"flink\"", "container = \"flink\"\nsource = \"othr\""), "no source of the name"),
        (
            GOOD.replace("account = \"acct\"", "endpoint = \"http://acct.blob.x\""),
            "would cross the network in plain text",
        ),
        (GOOD.replace("account = \"acct\"", "account = \"No_Such\""), "3 to 24 lower-case letters and digits"),
        (GOOD.replace("\"acct\"", "\"PLACEHOLDER_STORAGE_ACCOUNT\""), "azure.account: is still the placeholder"),
        (GOOD.replace("account = \"acct\"", ""), "azure.account: is missing"),
        (GOOD.replace("region = \"eu-central-1\"", ""), "source.region: is missing"),
        (format!("{GOOD}[mover]\nbyte_budget = \"1MiB\""), "mover.byte_budget: must be at least block_size"),
        (format!("{GOOD}[log]\nfilter = \"bluebucket=loud\""), "log.filter:"),
        (format!("{GOOD}[facade.tls]\nkey_file = \"/nowhere\""), "facade.tls.certificate_file: is missing"),
    ];
    for (text, expected) in cases {
        let told = mistakes(&text, &[]);
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
    let short = mistakes(GOOD, &[("FLINK_SECRET", "short")]);
    assert!(short.contains("environment FLINK_SECRET: a secret must have at least 16 characters"), "{short}");
    assert!(
        parse(&GOOD.replace("listen = \"127.0.0.1:9000\"", "listen = \"0.0.0.0:9000\"\nallow_plaintext = true"), &[])
            .is_ok()
    );
}

#[test]
fn several_sources_have_names() {
    let two =
        GOOD.replace("[source]", "[[source]]\nname = \"old\"\nregion = \"us-east-1\"\n[[source]]\nname = \"new\"");
    assert!(mistakes(&two, &[]).contains("bucket.source: is missing"));
    let named = two.replace("container = \"flink\"", "container = \"flink\"\nsource = \"new\"");
    let config = parse(&named, &[]).unwrap();
    assert_eq!(config.buckets[0].source.as_ref().unwrap().source, "new");
    assert_eq!(config.sources.len(), 2);
}

#[test]
fn secrets_come_from_directories() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("AWS_ACCESS_KEY_ID", "AKIATEST\n");
    write("AWS_SECRET_ACCESS_KEY", "canary-directory-secret\n");
    write("BBFLINK", "canary-directory-facade\n");
    write("AZURE_STORAGE_CONNECTION_STRING", "AccountName=acct;AccountKey=canary-directory-account==\n");
    let at = directory.path().display();
    let text = GOOD
        .replace("account = \"acct\"", &format!("secrets_dir = \"{at}\""))
        .replace("managed-identity", "connection-string")
        .replace("region = \"eu", &format!("credentials = \"directory\"\nsecrets_dir = \"{at}\"\nregion = \"eu"))
        .replace("listen =", &format!("secrets_dir = \"{at}\"\nlisten ="))
        .replace("secret_env = \"FLINK_SECRET\"", "");
    let config = parse(&text, &[]).unwrap();
    assert_eq!(config.azure.account, "acct");
    assert_eq!(config.sources[0].credential, SourceCredential::Directory(directory.path().to_owned()));
    assert_eq!(config.facade.as_ref().unwrap().keys[0].secret.value.expose(), "canary-directory-facade");
    for watched in ["BBFLINK", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_NAME"] {
        assert!(config.files().contains(&directory.path().join(watched)), "{watched}");
    }
    for shown in [format!("{config:?}"), config.show()] {
        assert!(!shown.contains("canary") && !shown.contains("AKIATEST"), "{shown}");
    }
    std::fs::remove_file(directory.path().join("BBFLINK")).unwrap();
    assert!(mistakes(&text, &[]).contains("BBFLINK: cannot be read"));
}

/// A section `[azure]` alone, with a credential and a directory that holds some files.
fn azure(credential: &str, files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<AzureConfig, String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let at = directory.path().display();
    let text = format!("[azure]\ncredential = \"{credential}\"\nsecrets_dir = \"{at}\"\n");
    parse(&text, variables).map(|config| config.azure).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn names_of_azure_secrets() {
    let shared = |files: &[_], variables: &[_]| match azure("shared-key", files, variables).unwrap() {
        AzureConfig { credential: AzureCredential::SharedKey(key), account, endpoint, .. } => {
            assert_eq!(endpoint.to_string(), format!("https://{account}.blob.core.windows.net"));
            (account, key.value.expose().to_owned())
        }
        other => panic!("{other:?}"),
    };
    let expected = ("acct".to_owned(), "a2V5".to_owned());
    for account in ["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"] {
        for key in ["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY"] {
            assert_eq!(shared(&[(account, "acct\n"), (key, "a2V5\n")], &[]), expected);
            assert_eq!(shared(&[], &[(account, "acct"), (key, "a2V5")]), expected);
            assert_eq!(shared(&[(key, "a2V5")], &[(account, "acct"), (key, "other")]), expected, "files come first");
            assert_eq!(shared(&[(key, "\n")], &[(account, "acct"), (key, "a2V5")]), expected, "empty is missing");
        }
    }

    let whole = "AccountName=acct;AccountKey=a2V5";
    for name in ["AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_CONNECTION_STRING"] {
        // The string tells its own account, whatever else is set.
        let azure = azure("connection-string", &[(name, whole)], &[("AZURE_STORAGE_ACCOUNT", "another")]).unwrap();
        assert_eq!(azure.account, "acct");
    }
    let sas = [("AZURE_STORAGE_ACCOUNT_NAME", "acct"), ("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=x")];
    assert!(matches!(azure("sas", &sas, &[]).unwrap().credential, AzureCredential::Sas(_)));
    let application = [("AZURE_TENANT_ID", "tenant\n"), ("AZURE_CLIENT_ID", "client"), ("AZURE_CLIENT_SECRET", "s")];
    let found = azure("client-secret", &application, &[("AZURE_STORAGE_ACCOUNT", "acct")]).unwrap().credential;
    let AzureCredential::ClientSecret { tenant_id, client_id, .. } = found else { panic!() };
    assert_eq!((tenant_id.as_str(), client_id.as_str()), ("tenant", "client"));
}

#[test]
fn missing_azure_secrets_are_told_with_all_places() {
    let told = azure("client-secret", &[], &[]).unwrap_err();
    for expected in [
        "azure.account: is missing: name the storage account or its endpoint, or give AZURE_STORAGE_ACCOUNT_NAME or AZURE_STORAGE_ACCOUNT, as a file in /",
        "azure.tenant_id: is missing: write it here, or give AZURE_TENANT_ID, as a file in /",
        "azure.client_id: is missing: write it here, or give AZURE_CLIENT_ID, as a file in /",
        "azure.credential: needs the secret of the application: AZURE_CLIENT_SECRET, as a file in /",
        " or as a variable",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
    let told = mistakes(&GOOD.replace("managed-identity", "shared-key"), &[]);
    let expected = "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_KEY, as a variable or as a file in secrets_dir";
    assert!(told.contains(expected), "{told}");
    let told = azure("shared-key", &[("AZURE_STORAGE_KEY", "k"), ("AZURE_STORAGE_ACCOUNT", "No")], &[]).unwrap_err();
    assert!(told.contains("AZURE_STORAGE_ACCOUNT: must be 3 to 24"), "{told}");
    let nowhere = GOOD.replace("account = \"acct\"", "account = \"acct\"\nsecrets_dir = \"/nowhere\"");
    assert!(mistakes(&nowhere, &[]).contains("azure.secrets_dir: /nowhere is no directory"));
}

#[test]
fn secrets_that_are_ignored_need_not_be_there() {
    let kinds = ["client-secret", "shared-key", "connection-string", "sas", "workload-identity", "managed-identity"];
    for kind in kinds {
        let text = format!(
            "[azure]\ncredential = \"{kind}\"\nsecrets_dir = \"/nowhere\"\n\
             [source]\ncredentials = \"directory\"\nsecrets_dir = \"/nowhere\"\n"
        );
        let environment = Environment::default();
        let config = Config::parse(&text, kind, PathBuf::new(), &environment, Secrets::Ignored);
        config.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}

#[tokio::test]
async fn names_in_a_source_directory() {
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_ACCESS_KEY", "AWS_SECRET_KEY"),
        ("SCALEWAY_ACCESS_KEY", "SCALEWAY_SECRET_KEY"),
    ];
    for (id, secret) in pairs {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        let at = format!("[source]\ncredentials = \"directory\"\nsecrets_dir = \"{}\"", directory.path().display());
        let text = GOOD.replace("[source]\nregion = \"eu-central-1\"", &at);
        write("AWS_REGION", "eu-west-3\n");
        write(id, "AKIATEST");
        write(secret, " \n");
        let told = mistakes(&text, &[]);
        assert!(told.contains("holds no pair of keys") && told.contains(secret), "{told}");
        write(secret, "canary-pair");
        let source = parse(&text, &[("AWS_REGION", "us-west-1")]).unwrap().sources.remove(0);
        assert_eq!(source.region, "eu-west-3");
        // What is accepted here is what the source's credentials understand.
        let SourceCredential::Directory(path) = source.credential else { panic!() };
        assert!(crate::source::credentials::MountedSecret::read(&path).await.is_ok(), "{id}");
    }
    let nowhere = "region = \"eu-central-1\"\ncredentials = \"directory\"\nsecrets_dir = \"/nowhere\"";
    let told = mistakes(&GOOD.replace("region = \"eu-central-1\"", nowhere), &[]);
    assert!(told.contains("source.secrets_dir: /nowhere is no directory"), "{told}");
}

#[test]
fn variables_of_a_source() {
    let aws = [("AWS_ACCESS_KEY_ID", "aws"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "token")];
    let scaleway = [("SCALEWAY_ACCESS_KEY", "scaleway"), ("SCALEWAY_SECRET_KEY", "s")];
    let own = [("OLD_ID", "own"), ("OLD_SECRET", "s"), ("OLD_TOKEN", "token")];
    let all = [&aws[..], &scaleway, &own].concat();
    let named = "access_key_id_env = \"OLD_ID\"\nsecret_access_key_env = \"OLD_SECRET\"";
    let with_token = format!("{named}\nsession_token_env = \"OLD_TOKEN\"");
    let good = |lines: &str| GOOD.replace("[source]", &format!("[source]\ncredentials = \"static\"\n{lines}"));
    for (lines, variables, id, token) in [
        ("", &all[..], "aws", true),
        ("", &scaleway[..], "scaleway", false),
        ("", &[&aws[2..], &scaleway].concat()[..], "scaleway", false),
        (named, &all[..], "own", false),
        (&with_token, &all[..], "own", true),
    ] {
        let config = parse(&good(lines), variables).unwrap();
        let SourceCredential::Keys { access_key_id, session_token, .. } = &config.sources[0].credential else {
            panic!()
        };
        assert_eq!((access_key_id.value.expose(), session_token.is_some()), (id, token));
        assert_eq!(parse(&config.show(), variables).unwrap(), config);
    }
    for (text, variables, expected) in [
        (
            good(""),
            &[][..],
            "source.credentials: finds no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or SCALEWAY_ACCESS_KEY",
        ),
        (good(""), &aws[..1], "environment AWS_SECRET_ACCESS_KEY: is not set"),
        (good("access_key_id_env = \"OLD_ID\""), &all, "secret_access_key_env: is missing"),
        (good("secret_access_key_env = \"OLD_ID\""), &all, "access_key_id_env: is missing"),
        (good(named), &aws, "environment OLD_ID: is not set"),
        (good("secrets_dir = \"/x\""), &all, "secrets_dir: has no meaning without credentials = \"directory\""),
        (GOOD.replace("[source]", &format!("[source]\n{named}")), &all, "access_key_id_env: has no meaning without"),
    ] {
        let told = mistakes(&text, variables);
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
}

#[test]
fn a_default_of_the_mover_gives_way_to_what_is_written() {
    let mover = |lines: &str| parse(&format!("{GOOD}[mover]\n{lines}"), &[]);
    let small = mover("concurrency = 1").unwrap().mover;
    assert_eq!((small.concurrency_start, small.concurrency_min), (1, 1));
    for (lines, expected) in [
        ("concurrency = 8\nconcurrency_start = 9", "concurrency_start: must be at least 1 and at most concurrency"),
        ("concurrency_start = 4\nconcurrency_min = 5", "concurrency_min: must be at least 1"),
        ("ranges = 0", "ranges: must be at least 1"),
        ("blocks_at_once = 0", "blocks_at_once: must be at least 1"),
    ] {
        let told = mover(lines).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn what_is_shown_can_be_read_again() {
    let config = parse(GOOD, &[("BLUEBUCKET_FACADE_LIMITS_DRAIN_DELAY", "1500ms")]).unwrap();
    let shown = config.show();
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(parse(&shown, &[]).unwrap(), config, "{shown}");
}

#[test]
fn shipped_files_are_right() {
    for name in ["bluebucket.toml", "examples/development.toml", "examples/backfill.toml"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        let config = Config::load(&path, &Environment::default(), Secrets::Ignored);
        let config = config.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let pairs: Vec<_> =
            config.buckets.iter().map(|bucket| (bucket.name.as_str(), bucket.container.as_str())).collect();
        let reference = [
            ("local-rocksdb-test", "flink"),
            ("local-iceberg-test", "iceberg"),
            ("local-warpstream-test", "warpstream"),
        ];
        assert_eq!(pairs, reference, "{name}");
    }
}

/// The configurations within the Kubernetes manifests.
#[test]
fn shipped_manifests_hold_right_configurations() {
    for name in ["config.yaml", "backfill.yaml", "sidecar.yaml"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes").join(name);
        let manifest = std::fs::read_to_string(path).unwrap();
        let (_, block) = manifest.split_once("bluebucket.toml: |\n").unwrap();
        let lines = block.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
        let text: String = lines.map(|line| format!("{}\n", line.trim_start())).collect();
        let environment = Environment::default();
        let config = Config::parse(&text, name, PathBuf::new(), &environment, Secrets::Ignored);
        config.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}

#[tokio::test]
async fn a_changed_secret_is_passed_on_and_a_wrong_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bluebucket.toml");
    let secret = directory.path().join("BBFLINK");
    std::fs::write(&secret, "the-first-secret-of-flink").unwrap();
    std::fs::write(&path, GOOD.replace("secret_env = \"FLINK_SECRET\"", "secret_file = \"BBFLINK\"")).unwrap();
    let environment = Environment::default();
    let first = Arc::new(Config::load(&path, &environment, Secrets::Required).unwrap());
    let changes = watch(path.clone(), environment, first, Duration::from_millis(5));
    let mut keys = select(changes, |config| config.facade.as_ref().map(|facade| facade.keys.clone()));
    std::fs::write(&secret, "short").unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!keys.has_changed().unwrap(), "a wrong configuration must not come through");
    std::fs::write(&secret, "the-second-secret-of-flink").unwrap();
    tokio::time::timeout(Duration::from_secs(10), keys.changed()).await.expect("the change is seen").unwrap();
    let seen = keys.borrow().as_ref().unwrap()[0].secret.value.expose().to_owned();
    assert_eq!(seen, "the-second-secret-of-flink");

    // A configuration may come before the secret that it names, which no file in force tells of.
    let later = directory.path().join("BBLATER");
    std::fs::write(&path, GOOD.replace("secret_env = \"FLINK_SECRET\"", "secret_file = \"BBLATER\"")).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!keys.has_changed().unwrap(), "the secret is not there yet");
    std::fs::write(&later, "the-secret-that-came-later").unwrap();
    tokio::time::timeout(Duration::from_secs(10), keys.changed()).await.expect("the change is seen").unwrap();
    let seen = keys.borrow().as_ref().unwrap()[0].secret.value.expose().to_owned();
    assert_eq!(seen, "the-secret-that-came-later");
}
