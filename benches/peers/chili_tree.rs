//! This workload is the sum over a tree that chili publishes (`benches/overhead.rs`, github.com/dragostis/chili): a
//! full binary tree in which each node counts 1. Here the tree has 10 or 20 layers. The larger tree of chili has 24
//! layers and would take a gigabyte of memory.
//!
//! chili and rayon descend the tree and join at each node, and orx-parallel explores the tree. Our `.aggregate()` and
//! the other contenders work on slices, so their records are the subtrees below a layer, which each call collects
//! again. This division is coarser and cheaper than a join at each node.

use std::borrow::Cow;

use crate::contenders::{Way, Workload, chili_pool, rayon_pool, threads};

pub struct Node {
    count: u64,
    children: Option<Box<[Node; 2]>>,
}

impl Node {
    fn of(layers: usize) -> Self {
        let children = || Box::new([Node::of(layers - 1), Node::of(layers - 1)]);
        Node {
            count: 1,
            children: (layers > 1).then(children),
        }
    }

    fn sum(&self) -> u64 {
        let below = self.children.as_deref();
        self.count + below.map_or(0, |[left, right]| left.sum() + right.sum())
    }
}

/// A tree, and the number of the layer whose subtrees are the records. Layers are counted from 0.
pub struct Tree {
    root: Node,
    cut: usize,
}

impl Tree {
    pub fn new(layers: usize) -> Self {
        let (root, cut) = (Node::of(layers), layers / 2);
        Tree { root, cut }
    }

    /// Returns the workload whose records are the nodes above the cut and the subtrees below it.
    pub fn parts(&self) -> Parts<'_> {
        Parts(self)
    }

    /// Returns the contenders that descend the tree. The first one is sequential.
    pub fn recursive(&self) -> Vec<Way<'_>> {
        vec![
            Way::plain("sequential recursion", || self.root.sum()),
            Way::new("chili, join at each node", |measure| {
                let pool = chili_pool();
                let mut scope = pool.scope();
                measure(&mut || chili_sum(&self.root, &mut scope));
            }),
            Way::new("rayon, join at each node", |measure| {
                rayon_pool().install(|| measure(&mut || rayon_sum(&self.root)));
            }),
            Way::plain("orx-parallel, recursive", || orx_sum(&self.root)),
        ]
    }
}

fn chili_sum(node: &Node, scope: &mut chili::Scope<'_>) -> u64 {
    let Some([left, right]) = node.children.as_deref() else {
        return node.count;
    };
    let (left, right) = scope.join(|s| chili_sum(left, s), |s| chili_sum(right, s));
    node.count + left + right
}

fn rayon_sum(node: &Node) -> u64 {
    let Some([left, right]) = node.children.as_deref() else {
        return node.count;
    };
    let (left, right) = rayon::join(|| rayon_sum(left), || rayon_sum(right));
    node.count + left + right
}

fn orx_sum(root: &Node) -> u64 {
    use orx_parallel::*;
    fn children<'t>(node: &&'t Node) -> impl Iterator<Item = &'t Node> + use<'t> {
        let node: &'t Node = node;
        node.children.as_deref().into_iter().flatten()
    }
    let nodes = par_recursive([root], children).num_threads(threads());
    nodes.map(|node| node.count).sum()
}

/// The workload of a tree. Its records are the nodes above the cut and the subtrees below it.
pub struct Parts<'t>(&'t Tree);

#[derive(Clone, Copy)]
pub enum Part<'t> {
    Node(&'t Node),
    Subtree(&'t Node),
}

impl<'t> Workload for Parts<'t> {
    type Record = Part<'t>;
    type Score = u64;
    const LEAF: usize = 1;

    fn records(&self) -> Cow<'_, [Part<'t>]> {
        let mut parts = Vec::with_capacity(2 << self.0.cut);
        let mut layer = vec![&self.0.root];
        for _ in 0..self.0.cut {
            let below = layer.iter().filter_map(|node| node.children.as_deref());
            let below = below.flatten().collect();
            parts.extend(layer.into_iter().map(Part::Node));
            layer = below;
        }
        parts.extend(layer.into_iter().map(Part::Subtree));
        Cow::Owned(parts)
    }

    fn score(&self, record: &Part<'t>) -> u64 {
        match record {
            Part::Node(node) => node.count,
            Part::Subtree(node) => node.sum(),
        }
    }

    fn nothing(&self) -> u64 {
        0
    }

    fn add(total: &mut u64, score: &u64) {
        *total += score;
    }

    fn checksum(total: &u64) -> u64 {
        *total
    }
}
