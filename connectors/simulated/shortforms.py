"""Short forms and spellings of given names that people really use, by language of the country."""

from __future__ import annotations

_ENGLISH = {
    "Albert": "Al Bert", "Alexander": "Alex Sandy", "Alexandra": "Alex Sandra", "Alfred": "Alf Fred", "Amanda": "Mandy",
    "Andrew": "Andy Drew", "Anthony": "Tony", "Antony": "Tony", "Arthur": "Art", "Barbara": "Barb", "Benjamin": "Ben",
    "Bernadette": "Bernie", "Bernard": "Bernie", "Bridget": "Biddy Bridie", "Catherine": "Cathy Kate", "Charles": "Charlie Chuck",
    "Charlotte": "Lottie", "Christine": "Chris Chrissie", "Christopher": "Chris", "Daniel": "Dan Danny", "David": "Dave Davy",
    "Deborah": "Debbie", "Debra": "Debbie", "Dennis": "Denny", "Donald": "Don", "Dorothy": "Dot", "Douglas": "Doug",
    "Edward": "Ed Ted", "Eleanor": "Ellie Nell", "Elizabeth": "Liz Beth Betty", "Eugene": "Gene", "Frances": "Fran",
    "Francis": "Frank", "Frederick": "Fred", "Gareth": "Gary", "Geoffrey": "Geoff", "Gerald": "Gerry", "Gerard": "Gerry",
    "Gregory": "Greg", "Harold": "Harry", "Henry": "Harry Hank", "Jacob": "Jake", "Jacqueline": "Jackie", "James": "Jim Jimmy",
    "Janet": "Jan", "Jennifer": "Jen Jenny", "Jeffrey": "Jeff", "Jeremy": "Jerry", "Jessica": "Jess", "Joanna": "Jo",
    "Joanne": "Jo", "John": "Johnny Jack", "Jonathan": "Jon", "Joseph": "Joe", "Joshua": "Josh", "Judith": "Judy",
    "Katherine": "Kate Kathy", "Kathleen": "Kathy Kay", "Kathryn": "Kate Kathy", "Kenneth": "Ken Kenny", "Kimberly": "Kim",
    "Kimberley": "Kim", "Lawrence": "Larry", "Leonard": "Len", "Leslie": "Les", "Louise": "Lou", "Margaret": "Maggie Peggy Meg",
    "Martin": "Marty", "Mary": "Molly Polly", "Matthew": "Matt", "Megan": "Meg", "Melissa": "Mel", "Michael": "Mike Mick",
    "Michelle": "Shelly", "Mitchell": "Mitch", "Mohamed": "Mo", "Mohammed": "Mo", "Natalie": "Nat", "Nathan": "Nate",
    "Nicholas": "Nick", "Nicola": "Nicky", "Nicole": "Nicky", "Oliver": "Ollie", "Pamela": "Pam", "Patricia": "Pat Trish",
    "Patrick": "Pat Paddy", "Peter": "Pete", "Philip": "Phil", "Phillip": "Phil", "Raymond": "Ray", "Rebecca": "Becky",
    "Richard": "Rick Dick", "Robert": "Bob Rob Bobby", "Ronald": "Ron", "Russell": "Russ", "Samantha": "Sam", "Samuel": "Sam",
    "Sandra": "Sandy", "Sarah": "Sally", "Sharon": "Shaz", "Stephanie": "Steph", "Stephen": "Steve", "Steven": "Steve",
    "Stuart": "Stu", "Susan": "Sue Susie", "Suzanne": "Sue", "Teresa": "Terry Tess", "Theresa": "Terry Tess", "Thomas": "Tom Tommy",
    "Timothy": "Tim", "Valerie": "Val", "Victoria": "Vicky", "Vincent": "Vince", "Walter": "Walt", "William": "Bill Will Liam",
    "Zachary": "Zach",
}  # fmt: skip
_GERMAN = {
    "Alexander": "Alex", "Andreas": "Andi", "Angelika": "Geli", "Barbara": "Babsi", "Benjamin": "Ben", "Bernhard": "Bernd",
    "Christian": "Chris", "Christoph": "Chris", "Christine": "Christl", "Daniel": "Dani", "Daniela": "Dani", "Dieter": "Didi",
    "Dominik": "Dom", "Eduard": "Edi", "Elisabeth": "Lisa Sissi", "Ferdinand": "Ferdi", "Florian": "Flo", "Franziska": "Franzi",
    "Friedrich": "Fritz", "Gabriele": "Gabi", "Gerhard": "Gerd", "Günter": "Günni", "Hans-Joachim": "Hajo", "Heinrich": "Heinz",
    "Ingeborg": "Inge", "Jakob": "Jascha", "Jennifer": "Jenny", "Johann": "Hans", "Johannes": "Hannes", "Josef": "Sepp",
    "Jürgen": "Jogi", "Katharina": "Kathi", "Katrin": "Kati", "Konstantin": "Kosta", "Ludwig": "Lutz", "Manfred": "Manni",
    "Margarete": "Grete", "Maria": "Mia", "Maximilian": "Max", "Michael": "Michi", "Nikolaus": "Klaus", "Rüdiger": "Rudi",
    "Sabine": "Bine", "Sebastian": "Basti", "Siegfried": "Siggi", "Stefan": "Steff", "Stefanie": "Steffi", "Susanne": "Susi",
    "Theodor": "Theo", "Thomas": "Tom", "Tobias": "Tobi", "Ulrich": "Uli", "Ursula": "Uschi", "Wilhelm": "Willi",
    "Wolfgang": "Wolfi",
}  # fmt: skip
_FRENCH = {
    "Alexandre": "Alex", "Alexandrie": "Alex", "Antoine": "Toine", "Benjamin": "Ben", "Catherine": "Cathy", "Christophe": "Chris",
    "Danielle": "Dany", "Frédérique": "Fred", "Grégoire": "Greg", "Guillaume": "Guy", "Isabelle": "Isa", "Jacqueline": "Jackie",
    "Joséphine": "José", "Laurence": "Laure", "Margaret": "Margot", "Maurice": "Momo", "Michel": "Mimi", "Nicolas": "Nico",
    "Patricia": "Pat", "Philippe": "Phil", "Sébastien": "Seb", "Stéphanie": "Steph", "Thomas": "Tom", "Valentine": "Val",
    "Véronique": "Véro", "Victoire": "Vic", "Virginie": "Ginie", "Élisabeth": "Babette",
}  # fmt: skip
_SPANISH = {
    "Alberto": "Berto", "Alejandra": "Ale", "Alejandro": "Álex", "Antonio": "Toni", "Concepción": "Concha", "Cristina": "Cris",
    "Daniel": "Dani", "Dolores": "Lola", "Eduardo": "Edu", "Enrique": "Quique", "Ernesto": "Neto", "Francisca": "Paca",
    "Francisco": "Paco Fran", "Gregorio": "Goyo", "Guadalupe": "Lupe", "Ignacio": "Nacho", "Isabel": "Isa", "Javier": "Javi",
    "Jesús": "Chus", "José": "Pepe", "Josefa": "Pepa", "Manuel": "Manolo", "Manuela": "Manoli", "Mercedes": "Merche",
    "Montserrat": "Montse", "Patricia": "Patri", "Rafael": "Rafa", "Roberto": "Berto", "Rosario": "Charo", "Santiago": "Santi",
    "Teresa": "Tere", "Vicente": "Chente",
}  # fmt: skip


def _split(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(forms.split()) for name, forms in table.items()}


_EN = _split(_ENGLISH)
SHORT_FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "GB": _EN,
    "IE": _EN,
    "US": _EN,
    "DE": _split(_GERMAN),
    "FR": _split(_FRENCH),
    "ES": _split(_SPANISH),
}
"""Country code, then given name, to the short forms in use."""
