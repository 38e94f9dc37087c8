//! The same on a Redis Cluster.

use common::server::Cluster;

use crate::scene::Scene;

#[test]
fn a_cluster_is_opened_by_the_urls_of_its_nodes() {
    let cluster = Cluster::start(&[]);
    let scene = Scene::at(cluster.urls().join(","));
    let alone = scene.call("list --url redis://127.0.0.1:1 --cluster");
    assert_eq!(alone.code, 15, "{}", alone.err);
    scene.run("submit grant.toml --as rita --id r-1 --create --yes --cluster");
    scene.run("repartition 8 --yes --cluster");
    for number in 2..10 {
        scene.run(&format!("submit grant.toml --as rita --id r-{number} --yes --cluster"));
    }
    scene.run("approve r-1 r-2 r-3 --as mona --yes --cluster");
    assert_eq!(scene.run("list --count --cluster"), "9\n");
    assert_eq!(scene.run("inbox --as sam --cluster").lines().count(), 4);
    assert!(scene.run("health --cluster").contains("8 partitions"));
    assert!(scene.run("verify --cluster").starts_with("9 records"));
    assert!(scene.run("watch --from-beginning --once --cluster").lines().count() >= 12);
    let plain = scene.call(&format!("list --url {}", cluster.urls()[0]));
    assert!(plain.code == 18 && plain.err.contains("cluster"), "{}", plain.err);
}
