//! The kinds of products, and the words that reviews of each kind need.

/// A kind of product, with the words its reviews need.
#[derive(Debug)]
pub(super) struct Category {
    pub(super) name: &'static str,
    /// What one of its products is called in passing.
    pub(super) things: &'static [&'static str],
    /// What a review may praise or blame.
    pub(super) parts: &'static [&'static str],
    /// What one does with it, in the past tense.
    pub(super) used: &'static [&'static str],
    /// Sentences of fact that fit nothing else.
    pub(super) facts: &'static [&'static str],
    /// The first and the second half of a product's name.
    pub(super) names: [[&'static str; 8]; 2],
}

#[rustfmt::skip]
pub(super) const CATEGORIES: [Category; 8] = [
    Category {
        name: "films",
        things: &["film", "movie", "picture"],
        parts: &["plot", "acting", "ending", "script", "soundtrack", "camera work", "dialogue", "first half", "cast", "pacing", "director's cut", "opening scene"],
        used: &["watched", "streamed", "rented"],
        facts: &["the {thing} runs for two hours and ten minutes", "we streamed it {where} with {someone}", "the cast is new to me",
                 "the {part} belongs to another decade", "I read the novel before I saw the {thing}", "shot in {place}, says the leaflet"],
        names: [["Midnight", "Paper", "Glass", "Salt", "Copper", "Northern", "The Last", "Quiet"],
                ["Harbour", "Orchard", "Letters", "Carnival", "Signal", "Summer", "Tide", "Machine"]],
    },
    Category {
        name: "electronics",
        things: &["headset", "speaker", "camera", "tablet", "gadget", "device"],
        parts: &["battery", "screen", "sound", "cable", "remote", "app", "charger", "display", "setup", "microphone", "manual", "picture quality"],
        used: &["used", "tested", "tried"],
        facts: &["the box holds a charger, a cable and a manual", "it charges in two hours", "my old one lasted {long}",
                 "the {part} asked for an update after {long}", "it pairs with my phone and with my laptop", "made for 110 V, so mind the plug"],
        names: [["Velora", "Tanix", "Ombra", "Kestrel", "Lumio", "Northline", "Quanta", "Perrin"],
                ["S20", "Mini", "Pro 4", "X-1", "Duo", "Air 2", "HD 700", "Go"]],
    },
    Category {
        name: "books",
        things: &["book", "novel", "paperback"],
        parts: &["plot", "prose", "ending", "first chapter", "cover", "translation", "main character", "dialogue", "author's voice", "middle section", "print", "index"],
        used: &["read", "finished", "borrowed"],
        facts: &["the {thing} has {number} chapters and an afterword", "I read it {where} in {long}", "it is the second part of a series",
                 "my copy smells of {accent}", "{someone} lent it to me {when}", "the {part} takes up most of page 112"],
        names: [["The Clockmaker's", "A Winter's", "The Baker's", "Eleven", "The Cartographer's", "My Aunt's", "The Widow's", "Señor Ibáñez's"],
                ["Daughter", "Map", "Almanac", "Garden", "Notebook", "House", "Journey", "Recipes"]],
    },
    Category {
        name: "kitchen",
        things: &["pan", "kettle", "blender", "knife", "toaster", "machine"],
        parts: &["handle", "lid", "blade", "motor", "coating", "timer", "water tank", "finish", "packaging", "base", "filter", "spout"],
        used: &["used", "tried", "cooked with"],
        facts: &["it holds 1.5 litres", "I make soup in it every Sunday", "it goes into the dishwasher, says the label",
                 "our old one came from {place}", "the {part} is made of steel", "we cook for {number} people"],
        names: [["Maison", "Brightwell", "Crofter", "Olvido", "Hearthline", "Tamsin & Co", "Purecraft", "Café"],
                ["Kettle", "Skillet 28", "Press", "Grinder", "Blender 600", "Knife Set", "Toaster", "Stock Pot"]],
    },
    Category {
        name: "games",
        things: &["game", "title", "sequel"],
        parts: &["story", "control scheme", "music", "tutorial", "level design", "multiplayer", "menu", "final level", "art", "difficulty", "save system", "last update"],
        used: &["finished", "tried", "streamed"],
        facts: &["I stopped counting after 40 hours", "the {part} unlocks in chapter three", "{someone} is at level 60",
                 "I have it on two machines", "the {thing} needs 35 GB on the disk", "we meet online on Fridays, {number} of us"],
        names: [["Star", "Iron", "Tiny", "Pixel", "Ember", "Turbo", "Moss", "Deep"],
                ["Caravan", "Farmers", "Dungeon", "Rally", "Islands", "Foundry", "Tactics", "Express II"]],
    },
    Category {
        name: "clothing",
        things: &["jacket", "shirt", "pair of boots", "coat", "sweater"],
        parts: &["fit", "zip", "fabric", "colour", "stitching", "sole", "sleeve", "collar", "lining", "size", "label", "buckle"],
        used: &["tried on", "packed", "lived in"],
        facts: &["I am 1.78 m and took size M", "it went through the wash twice", "the {part} is darker than in the picture",
                 "I had it on {where} and {where}", "{someone} took one in green", "the lining is cotton, the rest is wool"],
        names: [["Alder", "Fjällby", "Weaver's", "Rook", "Linden", "Harrow", "Bask", "Tidewater"],
                ["Parka", "Cardigan", "Boots", "Rain Shell", "Oxford", "Scarf", "Denim", "Fleece"]],
    },
    Category {
        name: "outdoors",
        things: &["tent", "backpack", "bike light", "sleeping bag", "bottle"],
        parts: &["frame", "strap", "zip", "seam", "pole", "pocket", "weight", "pump", "cover", "hip belt", "light", "valve"],
        used: &["carried", "used", "packed"],
        facts: &["we were out for {long} in the rain", "it weighs 1.2 kg with the {part}", "I had it with me above 2,000 metres",
                 "it folds to the size of a loaf", "{someone} carries one as well", "the {part} took {long} to dry"],
        names: [["Ridge", "Tarn", "Larch", "Summit", "Boreal", "Condor", "Heath", "Lahti"],
                ["Tent 2", "Pack 40", "Lamp", "Bottle 1L", "Stove", "Hammock", "Mat", "Poles"]],
    },
    Category {
        name: "music",
        things: &["album", "recording", "live set"],
        parts: &["guitar", "opening track", "mix", "singing", "drumming", "second side", "production", "songwriting", "chorus", "piano", "bass line", "booklet"],
        used: &["heard", "listened to", "streamed"],
        facts: &["the {thing} runs for 42 minutes", "I heard it {where} on headphones", "the {part} starts on the second side",
                 "they recorded it in {place}", "the booklet lists {number} players", "{someone} saw them live {when}"],
        names: [["The Velvet", "Ash", "Sunday", "Red", "Motel", "Zoë", "Low", "Seven"],
                ["Lanterns", "Avenue", "Radio", "Sessions", "Postcards", "Arcade", "Weather", "Trains"]],
    },
];
