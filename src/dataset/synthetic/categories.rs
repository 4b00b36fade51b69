//! The kinds of products, and the words that reviews of each kind need.

/// A kind of product.
#[derive(Debug)]
pub(super) struct Category {
    pub(super) name: &'static str,
    /// The first half of a product's name.
    pub(super) makes: [&'static str; 8],
    /// The second half of a product's name, and a casual word for such a product.
    pub(super) models: [(&'static str, &'static str); 8],
    /// Parts of the product that a review may praise or blame, in the singular.
    pub(super) parts: &'static [&'static str],
    /// Verbs for using the product, whose past tense and participle are the same.
    pub(super) used: &'static [&'static str],
    /// Sentences of fact that fit only this category.
    pub(super) facts: &'static [&'static str],
}

#[rustfmt::skip]
pub(super) const CATEGORIES: [Category; 8] = [
    Category {
        name: "films",
        makes: ["Midnight", "Paper", "Glass", "Salt", "Copper", "Northern", "The Last", "Quiet"],
        models: [("Harbour", "film"), ("Orchard", "movie"), ("Letters", "film"), ("Carnival", "movie"),
                 ("Signal", "thriller"), ("Summer", "picture"), ("Tide", "film"), ("Machine", "movie")],
        parts: &["plot", "acting", "ending", "script", "soundtrack", "camera work", "dialogue", "first half",
                 "cast", "pacing", "director's cut", "opening scene"],
        used: &["watched", "streamed", "rented"],
        facts: &["the {thing} runs for two hours and ten minutes", "we streamed it {where} with {someone}",
                 "the cast is new to me", "the {part} belongs to another decade",
                 "I read the novel before I saw the {thing}", "shot in {place}, says the leaflet"],
    },
    Category {
        name: "electronics",
        makes: ["Velora", "Tanix", "Ombra", "Kestrel", "Lumio", "Northline", "Quanta", "Perrin"],
        models: [("S20", "phone"), ("Mini", "speaker"), ("Pro 4", "tablet"), ("X-1", "camera"),
                 ("Duo", "headset"), ("Air 2", "laptop"), ("HD 700", "monitor"), ("Go", "e-reader")],
        parts: &["battery", "casing", "cable", "app", "charger", "setup", "manual", "build", "software",
                 "button layout", "design", "packaging"],
        used: &["used", "tested", "tried"],
        facts: &["the box holds a charger, a cable and a manual", "it charges in two hours",
                 "my old {thing} lasted {long}", "it asked for an update after {long}",
                 "it pairs with my desk lamp", "made for 110 V, so mind the plug"],
    },
    Category {
        name: "books",
        makes: ["The Clockmaker's", "A Winter's", "The Baker's", "Eleven", "The Cartographer's", "My Aunt's",
                "The Widow's", "Señor Ibáñez's"],
        models: [("Daughter", "novel"), ("Map", "book"), ("Almanac", "book"), ("Garden", "novel"),
                 ("Notebook", "paperback"), ("House", "novel"), ("Journey", "book"), ("Recipes", "cookbook")],
        parts: &["plot", "prose", "ending", "first chapter", "cover", "translation", "main character", "dialogue",
                 "author's voice", "middle section", "print", "index"],
        used: &["read", "finished", "borrowed"],
        facts: &["the {thing} has {number} chapters and an afterword", "I read it {where} in {long}",
                 "it is the second part of a series", "my copy smells of {memory}", "{someone} lent it to me {when}",
                 "the {part} takes up most of page 112"],
    },
    Category {
        name: "kitchen",
        makes: ["Maison", "Brightwell", "Crofter", "Olvido", "Hearthline", "Tamsin & Co", "Purecraft", "Café"],
        models: [("Kettle", "kettle"), ("Skillet 28", "pan"), ("Press", "coffee press"), ("Grinder", "grinder"),
                 ("Blender 600", "blender"), ("Knife Set", "knife set"), ("Toaster", "toaster"), ("Stock Pot", "pot")],
        parts: &["handle", "finish", "packaging", "base", "size", "weight", "design", "shape", "steel", "colour",
                 "cleaning", "balance"],
        used: &["used", "tried", "cooked with"],
        facts: &["it stands next to the stove", "we have it out every Sunday",
                 "the label says it goes into the dishwasher", "our old {thing} came from {place}",
                 "it is made of steel", "we cook for {number} people"],
    },
    Category {
        name: "games",
        makes: ["Star", "Iron", "Tiny", "Pixel", "Ember", "Turbo", "Moss", "Deep"],
        models: [("Caravan", "game"), ("Farmers", "game"), ("Dungeon", "sequel"), ("Rally", "racing game"),
                 ("Islands", "game"), ("Foundry", "title"), ("Tactics", "game"), ("Express II", "sequel")],
        parts: &["story", "control scheme", "music", "tutorial", "level design", "multiplayer", "menu", "final level",
                 "art", "difficulty", "save system", "last update"],
        used: &["finished", "tried", "streamed"],
        facts: &["I stopped counting after 40 hours", "the second map unlocks in chapter three",
                 "{someone} is at level 60", "I have it on two machines", "the {thing} needs 35 GB on the disk",
                 "we meet online on Fridays, {number} of us"],
    },
    Category {
        name: "clothing",
        makes: ["Alder", "Fjällby", "Weaver's", "Rook", "Linden", "Harrow", "Bask", "Tidewater"],
        models: [("Parka", "parka"), ("Cardigan", "cardigan"), ("Boots", "pair of boots"), ("Rain Shell", "jacket"),
                 ("Oxford", "shirt"), ("Scarf", "scarf"), ("Denim", "jacket"), ("Fleece", "sweater")],
        parts: &["fit", "fabric", "colour", "stitching", "size", "label", "cut", "finish", "texture", "weight",
                 "pattern", "look"],
        used: &["packed", "lived in"],
        facts: &["I am 1.78 m and took size M", "we sent the first one back for a larger size",
                 "it is darker than in the picture", "I wore it {where} and {where}",
                 "{someone} took one in green", "half cotton, half wool, says the label"],
    },
    Category {
        name: "outdoors",
        makes: ["Ridge", "Tarn", "Larch", "Summit", "Boreal", "Condor", "Heath", "Lahti"],
        models: [("Tent 2", "tent"), ("Pack 40", "backpack"), ("Lamp", "lamp"), ("Bottle 1L", "bottle"),
                 ("Stove", "stove"), ("Hammock", "hammock"), ("Mat", "sleeping mat"), ("Poles", "pair of poles")],
        parts: &["weight", "pack size", "cover", "colour", "finish", "build", "bag it comes in", "design", "handling",
                 "clip", "manual", "material"],
        used: &["carried", "used", "packed"],
        facts: &["we were out for {long} in the rain", "it weighs 1.2 kg with everything",
                 "I had it with me above 2,000 metres", "it is as long as my arm", "{someone} carries one as well",
                 "it took {long} to dry"],
    },
    Category {
        name: "music",
        makes: ["The Velvet", "Ash", "Sunday", "Red", "Motel", "Zoë", "Low", "Seven"],
        models: [("Lanterns", "album"), ("Avenue", "album"), ("Radio", "mixtape"), ("Sessions", "live set"),
                 ("Postcards", "album"), ("Arcade", "debut"), ("Weather", "album"), ("Trains", "recording")],
        parts: &["guitar", "opening track", "mix", "singing", "drumming", "second side", "production", "songwriting",
                 "chorus", "piano", "bass line", "booklet"],
        used: &["heard", "listened to", "streamed"],
        facts: &["the {thing} runs for 42 minutes", "I heard it {where} on headphones",
                 "the {part} fades out after four minutes", "they made it in {place}",
                 "the booklet lists {number} players", "{someone} saw them live {when}"],
    },
];
