//! The products under review: their names, and how popular and how good each product is.

use super::categories::{CATEGORIES, Category};
use super::random::{Random, mix};

/// Number of products in all categories.
pub(super) const PRODUCTS: usize = 320;

/// For each product, the sum of the popularity of this product and of all earlier products.
///
/// The popularity follows Zipf's law: the product at place n (from 1) is reviewed 1/n as often as the first product.
/// So one review in six or seven is of the first product, and one review in two thousand is of the last.
const POPULARITY: [u32; PRODUCTS] = {
    let mut summed = [0; PRODUCTS];
    let mut sum = 0;
    let mut place = 0;
    while place < PRODUCTS {
        sum += 1_000_000 / (place as u32 + 1);
        summed[place] = sum;
        place += 1;
    }
    summed
};

/// The percentages of ratings with one to five stars, for five classes of products from shoddy to outstanding.
///
/// The distribution in each class is J-shaped or U-shaped like that of real ratings, because mainly pleased and
/// furious people write reviews.
const STARS: [[u32; 5]; 5] = [
    [34, 20, 16, 15, 15],
    [20, 13, 15, 24, 28],
    [12, 8, 12, 26, 42],
    [7, 5, 9, 25, 54],
    [3, 3, 6, 21, 67],
];

/// One product of the catalogue; the catalogue is the same for every seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    place: usize,
}

impl Product {
    /// Draws a product. Popular products are drawn more often.
    pub(super) fn draw(random: &mut Random) -> Self {
        let drawn = random.below(POPULARITY[PRODUCTS - 1]);
        Self {
            place: POPULARITY.partition_point(|&summed| summed <= drawn),
        }
    }

    /// The category of the product.
    pub(super) fn category(self) -> &'static Category {
        &CATEGORIES[self.place % CATEGORIES.len()]
    }

    /// The two halves of the product's name. No two products of the catalogue share both halves.
    pub(super) fn name(self) -> [&'static str; 2] {
        [self.category().makes[self.make()], self.model().0]
    }

    /// The general word for the product, such as "film".
    pub(super) fn thing(self) -> &'static str {
        self.model().1
    }

    fn make(self) -> usize {
        self.place / CATEGORIES.len() % 8
    }

    fn model(self) -> (&'static str, &'static str) {
        let within = self.place / CATEGORIES.len();
        // The offset increases by one each time the makes are repeated from the first one, so that no pair occurs
        // twice.
        self.category().models[(within + within / 8) % 8]
    }

    /// Draws the number of stars, from 1 to 5, that a reviewer gives the product.
    pub(super) fn rate(self, random: &mut Random) -> u8 {
        let class = mix(self.place as u64) % STARS.len() as u64;
        random.weighted(&STARS[class as usize]) as u8 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_products_share_a_name() {
        let names: HashSet<_> = (0..PRODUCTS)
            .map(|place| Product { place }.name())
            .collect();
        assert_eq!(names.len(), PRODUCTS);
    }
}
