//! HyperLogLog: estimates the number of different hashes from the rarest bit patterns among them.

/// Number of leading bits of a hash that choose its register.
const CHOICE_BITS: u32 = 14;
pub(super) const REGISTERS: usize = 1 << CHOICE_BITS;
/// Number of bits of a hash that remain for the rank.
const RANK_BITS: u32 = 64 - CHOICE_BITS;
/// The rank of a hash whose remaining bits are all zero.
pub(super) const MOST_RANK: u8 = RANK_BITS as u8 + 1;
/// The constant factor of the estimate: 1 / (2 ln 2).
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The highest rank among the hashes of each register (Flajolet, Fusy, Gandouet and Meunier,
/// *HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm*, 2007). The rank
/// is one more than the number of leading zeros after the bits that choose the register. A rank is
/// stored in a byte, although six bits would be enough, because the processor can merge sixteen
/// bytes at a time.
#[derive(Debug, Clone)]
pub(super) struct Registers(Box<[u8; REGISTERS]>);

impl Registers {
    pub(super) fn new() -> Registers {
        Registers(Box::new([0; REGISTERS]))
    }

    /// Returns registers with these [`ranks`](Registers::ranks), or `None` if their number or a
    /// rank is out of range.
    pub(super) fn of(ranks: Vec<u8>) -> Option<Registers> {
        let registers: Box<[u8; REGISTERS]> = ranks.into_boxed_slice().try_into().ok()?;
        registers
            .iter()
            .all(|&rank| rank <= MOST_RANK)
            .then_some(Registers(registers))
    }

    pub(super) fn ranks(&self) -> &[u8] {
        self.0.as_slice()
    }

    #[inline]
    pub(super) fn insert(&mut self, hash: u64) {
        let register = &mut self.0[(hash >> RANK_BITS) as usize];
        // The bit added below the bits of the rank ends the zeros if no other bit is set.
        let rest = hash << CHOICE_BITS | 1 << (CHOICE_BITS - 1);
        let rank = rest.leading_zeros() as u8 + 1;
        if rank > *register {
            *register = rank;
        }
    }

    pub(super) fn merge(&mut self, other: &Registers) {
        for (rank, &other) in self.0.iter_mut().zip(other.0.iter()) {
            *rank = other.max(*rank);
        }
    }

    /// Estimates the number of different hashes with Ertl's improved raw estimator (*New
    /// cardinality estimation algorithms for HyperLogLog sketches*, 2017,
    /// <https://arxiv.org/abs/1702.01284>, algorithm 6), computed from the number of registers of
    /// each rank. It is unbiased from 0 to 2⁶⁴ without the tables and switches of earlier
    /// estimators. It uses only operations that IEEE 754 rounds correctly, in a fixed order, so the
    /// bits are the same on every machine.
    pub(super) fn estimate(&self) -> f64 {
        let mut having = [0_u32; MOST_RANK as usize + 1];
        for &rank in self.0.iter() {
            having[usize::from(rank)] += 1;
        }
        let registers = REGISTERS as f64;
        let having = having.map(f64::from);
        let [none, between @ .., all] = having;
        let mut sum = registers * tau(1.0 - all / registers);
        for count in between.into_iter().rev() {
            sum = 0.5 * (sum + count);
        }
        sum += registers * sigma(none / registers);
        ALPHA * registers * registers / sum
    }
}

/// Ertl's function σ: x + Σ x^(2^k) · 2^(k − 1), summed over k = 1, 2, 3, … It is infinite at 1.
fn sigma(x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (x, 1.0, x);
    loop {
        power *= power;
        let before = sum;
        sum += power * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// Ertl's function τ: (1 − x − Σ (1 − x^(2^−k))² · 2^−k) / 3, summed over k = 1, 2, 3, … It is 0 at
/// 0 and at 1.
fn tau(x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut root, mut weight, mut sum) = (x, 1.0, 1.0 - x);
    loop {
        root = root.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - root) * (1.0 - root) * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}
