//! The links to the nodes of a cluster that have entries: one for each node, made when the first
//! key of its slots is asked for. Which node that is, `cluster` knows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use super::cluster::{Cluster, Node};
use super::endpoint::Endpoint;
use super::link::{Common, Link};
use crate::error::Error;

/// The links to a cluster's nodes.
pub(super) struct Nodes {
    pub(super) cluster: Arc<Cluster>,
    common: Common,
    start: fn(&Handle, Arc<Link>),
    links: Mutex<HashMap<Node, Arc<Link>>>,
}

impl Nodes {
    pub(super) fn new(
        cluster: Arc<Cluster>,
        common: Common,
        start: fn(&Handle, Arc<Link>),
    ) -> Self {
        Self {
            cluster,
            common,
            start,
            links: Mutex::default(),
        }
    }

    fn links(&self) -> MutexGuard<'_, HashMap<Node, Arc<Link>>> {
        // Changed by whole links.
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The link to this node.
    pub(super) fn link(&self, node: &Node) -> Arc<Link> {
        let mut links = self.links();
        if let Some(link) = links.get(node) {
            return Arc::clone(link);
        }
        // What has been left by its slots ends by itself, and is forgotten here.
        links.retain(|known, _| self.cluster.has_part(known));
        let endpoint = Endpoint::Node(Arc::clone(&self.cluster), node.clone());
        let link = Link::new(self.common.clone(), endpoint, self.start);
        links.insert(node.clone(), Arc::clone(&link));
        link
    }

    /// The node that has a slot, and the link to it.
    pub(super) fn of(&self, slot: u16) -> Result<(Node, Arc<Link>), Error> {
        let node = self.cluster.owner(slot)?;
        let link = self.link(&node);
        Ok((node, link))
    }

    /// All links there are.
    pub(super) fn all(&self) -> Vec<Arc<Link>> {
        self.links().values().cloned().collect()
    }
}
