//! Where charts come from, against servers of the test's own: what is promised of versions, digests, the lock file and hostile answers.

use std::io::Read as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use meshform::secret::sha256_hex as digest;
use meshform::source::chart::{ChartSourceError, Charts, Fetched, Wanted, folder, vendor};

use super::server::{Server, archive, chart, repository};

fn fetch(folder: &Path, wanted: &Wanted) -> Result<Fetched, ChartSourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Charts::new(&folder.join("cache"), &folder.join("meshform.lock"))?.fetch(wanted).await })
}

fn lock(folder: &Path, wanted: &Wanted) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let charts = Charts::new(&folder.join("cache"), &folder.join("meshform.lock")).unwrap();
        let fetched = charts.fetch_unlocked(wanted).await.unwrap();
        charts.lock().write(fetched.locked.map(|locked| (wanted.key().unwrap(), locked))).unwrap();
    });
}

fn in_repository(server: &Server, version: &str) -> Wanted {
    Wanted::parse("edge", Some(&format!("{}/charts", server.url)), version)
}

fn error(result: Result<Fetched, ChartSourceError>) -> String {
    result.err().expect("it was fetched").to_string()
}

#[test]
fn a_repository_gives_the_highest_version_of_a_range() {
    let (folder, server) = (tempfile::tempdir().unwrap(), repository());
    for (range, expected) in [("", "1.10.0"), ("~1.2", "1.2.0"), (">1-0", "2.0.0-rc.1"), ("1.2.0", "1.2.0")] {
        let fetched = fetch(folder.path(), &in_repository(&server, range)).unwrap();
        assert_eq!(fetched.chart.metadata.version, expected, "{range}");
    }
    assert!(error(fetch(folder.path(), &in_repository(&server, "^7"))).contains("\"^7\" not found"));
}

#[test]
fn an_archive_that_differs_from_the_index_is_refused() {
    let (folder, server) = (tempfile::tempdir().unwrap(), repository());
    server.put("/charts/edge-1.10.0.tgz", chart("6.6.6"));
    assert!(error(fetch(folder.path(), &in_repository(&server, ""))).contains("the repository's index says"));
}

#[test]
fn what_is_locked_stays_and_is_checked() {
    let (folder, server) = (tempfile::tempdir().unwrap(), repository());
    let wanted = in_repository(&server, "~1.2");
    lock(folder.path(), &wanted);
    // Neither a newer version nor the index counts any more; and what is in the cache needs no server.
    server.put("/charts/index.yaml", "entries: {}\n");
    assert_eq!(fetch(folder.path(), &wanted).unwrap().chart.metadata.version, "1.2.0");
    std::fs::remove_dir_all(folder.path().join("cache")).unwrap();
    assert_eq!(fetch(folder.path(), &wanted).unwrap().chart.metadata.version, "1.2.0");
    std::fs::remove_dir_all(folder.path().join("cache")).unwrap();
    server.put("/charts/edge-1.2.0.tgz", chart("1.2.0-evil"));
    assert!(error(fetch(folder.path(), &wanted)).contains("the lock file says"));
}

#[test]
fn a_cache_that_was_tampered_with_is_not_believed() {
    let (folder, server) = (tempfile::tempdir().unwrap(), repository());
    let wanted = in_repository(&server, "1.2.0");
    lock(folder.path(), &wanted);
    let kept = folder.path().join("cache").join(format!("{}.tgz", digest(&chart("1.2.0"))));
    std::fs::write(&kept, chart("9.9.9")).unwrap();
    assert_eq!(fetch(folder.path(), &wanted).unwrap().chart.metadata.version, "1.2.0");
}

#[test]
fn endless_redirects_and_what_is_not_there_are_errors() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    server.put_status("/loop.tgz", 302, &[("location", "/loop.tgz")], "");
    let url = format!("{}/loop.tgz", server.url);
    assert!(error(fetch(folder.path(), &Wanted::parse(&url, None, ""))).contains("redirects"));
    assert!(server.count("/loop.tgz") <= 6);
    server.put_status("/moved.tgz", 301, &[("location", "edge.tgz")], "");
    server.put("/edge.tgz", chart("1.0.0"));
    assert_eq!(
        fetch(folder.path(), &Wanted::parse(&format!("{}/moved.tgz", server.url), None, "")).unwrap().chart.metadata.version,
        "1.0.0"
    );
    assert!(error(fetch(folder.path(), &Wanted::parse(&format!("{}/no.tgz", server.url), None, ""))).contains("404"));
}

#[test]
fn hostile_archives_are_refused() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let about = "apiVersion: v2\nname: edge\nversion: 1.0.0\n";
    let bomb = {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        std::io::copy(&mut std::io::repeat(0).take(300 << 20), &mut gzip).unwrap();
        gzip.finish().unwrap()
    };
    let mut linked = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    linked.append_link(&mut header, "edge/Chart.yaml", "/etc/passwd").unwrap();
    let linked = linked.into_inner().unwrap().finish().unwrap();
    // The builder refuses such names itself: they are put into the header by hand.
    let mut up = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..18].copy_from_slice(b"edge/../../out.txt");
    header.set_size(1);
    header.set_cksum();
    up.append(&header, &b"x"[..]).unwrap();
    let up = up.into_inner().unwrap().finish().unwrap();
    for (name, bytes) in [
        ("bomb", bomb),
        ("linked", linked),
        ("up", up),
        ("empty", Vec::new()),
        ("text", b"<html>".to_vec()),
        ("cut", archive(&[("edge/Chart.yaml", about)])[..40].to_vec()),
    ] {
        let path = format!("/{name}.tgz");
        server.put(&path, bytes);
        let failed = fetch(folder.path(), &Wanted::parse(&format!("{}{path}", server.url), None, "")).is_err();
        assert!(failed, "{name}");
    }
}

#[test]
fn a_registry_gives_a_chart_to_whoever_gets_a_token() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let archive = chart("1.4.0");
    let blob = format!("sha256:{}", digest(&archive));
    let layer =
        serde_json::json!({"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": blob, "size": archive.len()});
    let manifest = serde_json::json!({"schemaVersion": 2, "layers": [layer]}).to_string();
    let bearer = format!("Bearer realm=\"{}/token\",service=\"s\",scope=\"repository:team/edge:pull\"", server.url);
    for path in ["tags/list", "manifests/1.4.0", &format!("blobs/{blob}")] {
        server.put_status(&format!("/v2/team/edge/{path}"), 401, &[("www-authenticate", &bearer)], "");
    }
    server.put("/token?service=s&scope=repository%3Ateam%2Fedge%3Apull", "{\"token\": \"t\"}");
    server.put("/v2/team/edge/tags/list Bearer t", "{\"tags\": [\"1.3.0\", \"1.4.0\", \"2.0.0\", \"latest\", \"1.4.1-rc.1\"]}");
    server.put("/v2/team/edge/manifests/1.4.0 Bearer t", manifest);
    server.put(&format!("/v2/team/edge/blobs/{blob} Bearer t"), archive);
    let reference = format!("oci://{}/team/edge", server.url.trim_start_matches("http://"));
    let fetched = fetch(folder.path(), &Wanted::parse(&reference, None, "^1")).unwrap();
    assert_eq!(fetched.locked.unwrap().version, "1.4.0");
    assert_eq!(fetched.chart.metadata.version, "1.4.0");
    // The blob is held against its digest.
    server.put(&format!("/v2/team/edge/blobs/{blob} Bearer t"), chart("6.6.6"));
    assert!(error(fetch(folder.path(), &Wanted::parse(&reference, None, "1.4.0"))).contains("the registry says"));
    let nothing = Wanted::parse(&reference, None, "^9");
    assert!(error(fetch(folder.path(), &nothing)).contains("has no version \"^9\""));
}

#[test]
fn a_chart_is_unpacked_once_and_nowhere_else() {
    let (place, server) = (tempfile::tempdir().unwrap(), repository());
    let fetched = fetch(place.path(), &in_repository(&server, "1.2.0")).unwrap();
    let root = vendor::unpack(&fetched.chart, place.path()).unwrap();
    assert_eq!(folder::read(&root).unwrap().chart.metadata.version, "1.2.0");
    assert!(vendor::unpack(&fetched.chart, place.path()).is_err());
    let kept = vendor::keep(&fetched, place.path()).unwrap();
    assert_eq!(folder::read(&kept).unwrap().chart.metadata.name, "edge");
}

#[test]
fn a_lock_file_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["{", "{\"version\": 9, \"charts\": {}}", "{\"version\": 1, \"charts\": {}, \"more\": 1}"] {
        std::fs::write(folder.path().join("meshform.lock"), text).unwrap();
        let refused = Charts::new(&folder.path().join("cache"), &folder.path().join("meshform.lock")).is_err();
        assert!(refused, "{text}");
    }
}
