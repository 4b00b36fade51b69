//! Tests of workers that share decoded blocks. A model checker runs their steps in many different orders.

use std::convert::Infallible;

use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use shuttle::thread;

use super::SharedBlocks;
use crate::sync::check_model as check;

const BLOCKS: u64 = 4;

/// Every worker gets the blocks that it needs, no matter which worker decodes them, and only a few blocks are kept.
#[test]
fn every_worker_gets_its_blocks() {
    check(|| {
        let blocks = Arc::new(SharedBlocks::default());
        let workers = [[0, 1, 2], [0, 2, 3], [1, 1, 3]].map(|wanted| {
            let blocks = Arc::clone(&blocks);
            thread::spawn(move || {
                for number in wanted {
                    let reader = blocks.begin();
                    let decode = |number| {
                        thread::yield_now();
                        Ok::<_, Infallible>(number * 10)
                    };
                    let Ok(block) = reader.get(number, BLOCKS, decode);
                    assert_eq!(*block, number * 10);
                }
            })
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(blocks.state.lock().unwrap().blocks.len() <= 6);
    });
}

/// If a worker cannot decode a block, a worker that waits for the block tries to decode the block itself.
#[test]
fn a_block_that_could_not_be_decoded_is_begun_again() {
    check(|| {
        let blocks = Arc::new(SharedBlocks::default());
        let tries = Arc::new(AtomicUsize::new(0));
        let workers = [(), ()].map(|()| {
            let (blocks, tries) = (Arc::clone(&blocks), Arc::clone(&tries));
            thread::spawn(move || {
                let reader = blocks.begin();
                let decode = |number| match tries.fetch_add(1, Relaxed) {
                    0 => Err("the first attempt fails"),
                    _ => Ok(number),
                };
                reader.get(0, 1, decode).is_ok()
            })
        });
        let decoded = workers.map(|worker| worker.join().unwrap());
        assert_eq!(decoded.iter().filter(|decoded| **decoded).count(), 1);
    });
}
