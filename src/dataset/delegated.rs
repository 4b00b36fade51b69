//! The methods that a dataset around another dataset passes on, written once.

/// The parts of an `impl Dataset` that call the field `dataset` without any change: everything but
/// [`read`](super::Dataset::read). The records of both datasets are [`TextRecord`](super::TextRecord)s.
macro_rules! delegate_to_dataset {
    () => {
        type Record<'a> = $crate::dataset::TextRecord<'a>;

        fn parts(&self) -> usize {
            self.dataset.parts()
        }

        fn is_stream(&self) -> bool {
            self.dataset.is_stream()
        }

        fn may_wait_with_records(&self) -> bool {
            self.dataset.may_wait_with_records()
        }

        fn close(&self) {
            self.dataset.close();
        }

        fn size(&self, parts: std::ops::Range<usize>) -> u64 {
            self.dataset.size(parts)
        }

        fn lend<'r>(
            &self,
            record: &'r $crate::dataset::TextRecord<'_>,
        ) -> Option<$crate::dataset::LentRecord<'r>> {
            self.dataset.lend(record)
        }

        fn place(&self, position: $crate::dataset::Position) -> Option<$crate::error::Place> {
            self.dataset.place(position)
        }

        fn index_in_input(&self, index: u64) -> u64 {
            self.dataset.index_in_input(index)
        }
    };
}

pub(crate) use delegate_to_dataset;
