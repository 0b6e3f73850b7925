#!/usr/bin/env python3
"""Writes the values that fill the corpus' columns: bench/corpus/values/*.tsv, one "source<TAB>value" a line: a file for
each locale, and common.tsv for what is the same everywhere.

    python3 -m venv tmp/corpus && tmp/corpus/bin/pip install -r bench/corpus/requirements.txt
    tmp/corpus/bin/python bench/corpus/values.py

The words are Faker's, of nine locales, so that detector and corpus share no list; what is not personal (brands, films,
places, numbers of all sorts) is made here. Everything comes from one seed: the same versions write the same files.
"""

import datetime
import hashlib
import json
import os
import pathlib
import random
import string
import sys

from faker import Faker

PLACE = pathlib.Path(__file__).parent / "values"
EACH = 60  # values of a source
LONG = 30  # of a source whose values are whole texts or documents
# Days are drawn between fixed ones: what Faker calls an age or "three years ago" depends on today.
BORN = (datetime.date(1932, 1, 1), datetime.date(2008, 12, 31))
RECENT = (datetime.date(2021, 1, 1), datetime.date(2024, 12, 31))

BRANDS = """Mercedes-Benz|Peugeot|Carlsberg|Heineken|Dr. Martens|Johnnie Walker|Jack Daniel's|Louis Vuitton|Hugo Boss
Ralph Lauren|Calvin Klein|Yves Rocher|Nina Ricci|Paul Smith|Tommy Hilfiger|Dr. Oetker|Ben & Jerry's|Marks & Spencer
Harley-Davidson|Philips|Siemens|Bosch|Miele|Ferrero|Barilla|Danone|Nestlé|Michelin|Renault|Lidl|Aldi|Zara|Ikea|Nokia
Levi Strauss|William Lawson|Tissot|Bic|Lacoste|Porsche|Ford|Chevrolet|Black & Decker|Rowntree|Cadbury|Samsung|Sony
Orange|Total|Leclerc|Decathlon|Air Liquide|Carrefour|Vodafone|Unilever|Pampers|Duracell|Gillette|Red Bull|Playmobil"""
FILMS = """Forrest Gump|Erin Brockovich|Jackie Brown|Annie Hall|Barry Lyndon|Harry Potter à l'école des sorciers
Le Fabuleux Destin d'Amélie Poulain|Donnie Darko|Jerry Maguire|Thelma & Louise|Edward Scissorhands|Billy Elliot
Der Himmel über Berlin|Lola rennt|La dolce vita|Ladri di biciclette|Todo sobre mi madre|El laberinto del fauno
Good Bye, Lenin!|Turks fruit|Cidade de Deus|Central do Brasil|The Third Man|Casablanca|North by Northwest|Alien
Lawrence of Arabia|Mary Poppins|Bonnie and Clyde|Michael Clayton|Sophie's Choice|Rosemary's Baby|Anna Karenina
La Grande Illusion|Les Quatre Cents Coups|Le Salaire de la peur|Das Boot|Metropolis|Das Leben der Anderen|Jaws|Vertigo
Un prophète|La haine|Volver|Il postino|Blow-Up|Spoorloos|Tropa de Elite|Modern Times|The Apartment|Rear Window|Heat
Pulp Fiction|The Shining|Gravity|Apocalypse Now|Intouchables|Entre les murs|Der Untergang|Roma|Amour|Parasite|Up"""
SITES = """École Jules Ferry|Lycée Victor Hugo|Collège Jean Moulin|Place Charles de Gaulle|Pont Alexandre III|Goetheschule
Kennedyplatz|Albert-Schweitzer-Gymnasium|Plaza de Cervantes|Instituto Antonio Machado|Piazza Garibaldi|Liceo Dante
Anne Frankschool|Rembrandtplein|Escola Paulo Freire|Praça Tiradentes|Lincoln High School|Kings Cross|Washington Square
Saint-Denis|Saint-Martin|San Francisco|St. Louis|Santa Maria|San José|Victoria Park|Château-Thierry|Villeneuve
Salle polyvalente|Gare du Nord|Hauptbahnhof|Stadthalle|Rathaus|Ayuntamiento|Biblioteca Central|Stazione Centrale
Town Hall|Sports Centre|Community Hall|Marktplein|Stadhuis|Câmara Municipal|Room 12|Bâtiment B|Grande salle|Foyer"""
GOODS = """kettle|lamp|chair|shirt|notebook|bicycle|hammer|olive oil|keyboard|backpack|tent|candle|printer|helmet"""
TRAITS = """blue|small|oak|steel|cotton|wireless|folding|organic|second-hand|waterproof|classic|light"""
STATES = """draft|pending|published|cancelled|active|archived|open|closed|failed|done"""

# What a sentence of each language says around a value, and one that says nothing of anybody.
AROUND = {
    "fr": ["Bonjour, vous pouvez noter {} dans le dossier, merci.", "Rappel prévu la semaine prochaine ({}).", "Suite à notre échange : {}. Cordialement"],
    "en": ["Hello, please put {} on file, thank you.", "We will follow up next week ({}).", "As discussed: {}. Kind regards"],
    "de": ["Guten Tag, bitte {} in der Akte vermerken, danke.", "Rückmeldung folgt nächste Woche ({}).", "Wie besprochen: {}. Viele Grüße"],
    "es": ["Hola, por favor anoten {} en el expediente, gracias.", "Daremos respuesta la semana que viene ({}).", "Como hablamos: {}. Un saludo"],
    "it": ["Buongiorno, segnare {} nella pratica, grazie.", "Risentiamoci la prossima settimana ({}).", "Come d'accordo: {}. Cordiali saluti"],
    "nl": ["Goedemiddag, graag {} in het dossier zetten, dank u.", "Volgende week volgt antwoord ({}).", "Zoals besproken: {}. Met vriendelijke groet"],
    "pt": ["Bom dia, favor anotar {} no processo, obrigado.", "Voltamos a falar na próxima semana ({}).", "Conforme combinado: {}. Atenciosamente"],
    "pl": ["Dzień dobry, proszę wpisać {} do akt, dziękuję.", "Odpowiedź w przyszłym tygodniu ({}).", "Zgodnie z ustaleniami: {}. Pozdrawiam"],
}
PLAIN = {
    "fr": "La réunion est reportée à mardi.|Tout s'est bien passé, rien à signaler.|Il manque encore une pièce.|Merci de patienter, la demande est en cours.|Très satisfait de l'accueil.|Ne souhaite plus être rappelé.",
    "en": "The meeting has moved to Tuesday.|All went well, nothing to report.|One paper is still missing.|Please wait, the request is being handled.|Very happy with the welcome.|Does not want to be called again.",
    "de": "Das Treffen ist auf Dienstag verlegt.|Alles gut gelaufen, nichts zu melden.|Eine Unterlage fehlt noch.|Bitte warten, der Antrag ist in Arbeit.|Sehr zufrieden mit dem Empfang.|Möchte nicht mehr angerufen werden.",
    "es": "La reunión pasa al martes.|Todo ha ido bien, nada que señalar.|Falta todavía un documento.|Espere, la solicitud está en trámite.|Muy contento con la atención.|No quiere que se le llame más.",
    "it": "La riunione è spostata a martedì.|Tutto bene, niente da segnalare.|Manca ancora un documento.|Attendere, la richiesta è in corso.|Molto contento dell'accoglienza.|Non vuole più essere chiamato.",
    "nl": "De vergadering is verzet naar dinsdag.|Alles goed gegaan, niets te melden.|Er ontbreekt nog een stuk.|Even wachten, de aanvraag loopt.|Zeer tevreden over de ontvangst.|Wil niet meer gebeld worden.",
    "pt": "A reunião passou para terça-feira.|Correu tudo bem, nada a assinalar.|Falta ainda um documento.|Aguarde, o pedido está em andamento.|Muito satisfeito com o atendimento.|Não quer receber mais chamadas.",
    "pl": "Spotkanie przeniesiono na wtorek.|Wszystko poszło dobrze, brak uwag.|Brakuje jeszcze jednego dokumentu.|Proszę czekać, wniosek jest rozpatrywany.|Bardzo zadowolony z obsługi.|Nie chce więcej telefonów.",
}
# Keys of a person's record, and words for things that schemas ask of people.
RECORD = {
    "fr": ("nom", "prenom", "courriel", "telephone", "date_naissance", "adresse"), "en": ("last_name", "first_name", "email", "phone", "birth_date", "address"),
    "de": ("nachname", "vorname", "email", "telefon", "geburtsdatum", "anschrift"), "es": ("apellidos", "nombre", "correo", "telefono", "fecha_nacimiento", "direccion"),
    "it": ("cognome", "nome", "email", "telefono", "data_nascita", "indirizzo"), "nl": ("achternaam", "voornaam", "email", "telefoon", "geboortedatum", "adres"),
    "pt": ("sobrenome", "nome", "email", "telefone", "data_nascimento", "endereco"), "pl": ("nazwisko", "imie", "email", "telefon", "data_urodzenia", "adres"),
}
WORDS = {
    "fr": {"sex": "F|M|femme|homme", "marital": "célibataire|marié|divorcé|veuf|pacsé", "health": "asthme|diabète de type 2|allergie à l'arachide|grossesse|hypertension|néant", "grade": "bien|assez bien|insuffisant|12/20|niveau B2", "relation": "père|mère|tuteur|conjoint"},
    "en": {"sex": "F|M|female|male", "marital": "single|married|divorced|widowed", "health": "asthma|type 2 diabetes|peanut allergy|pregnant|hypertension|none", "grade": "A|B+|C|meets expectations|below level", "relation": "father|mother|guardian|partner"},
    "de": {"sex": "w|m|weiblich|männlich", "marital": "ledig|verheiratet|geschieden|verwitwet", "health": "Asthma|Diabetes Typ 2|Erdnussallergie|schwanger|Bluthochdruck|keine", "grade": "gut|befriedigend|mangelhaft|1,7", "relation": "Vater|Mutter|Vormund|Partner"},
    "es": {"sex": "F|M|mujer|hombre", "marital": "soltero|casado|divorciado|viudo", "health": "asma|diabetes tipo 2|alergia al cacahuete|embarazo|hipertensión|ninguna", "grade": "notable|aprobado|suspenso|6,5", "relation": "padre|madre|tutor|pareja"},
    "it": {"sex": "F|M|femmina|maschio", "marital": "celibe|nubile|coniugato|vedovo", "health": "asma|diabete di tipo 2|allergia alle arachidi|gravidanza|ipertensione|nessuna", "grade": "buono|sufficiente|27/30|ottimo", "relation": "padre|madre|tutore|coniuge"},
    "nl": {"sex": "V|M|vrouw|man", "marital": "ongehuwd|gehuwd|gescheiden|weduwe", "health": "astma|diabetes type 2|pinda-allergie|zwanger|hoge bloeddruk|geen", "grade": "goed|voldoende|onvoldoende|7,5", "relation": "vader|moeder|voogd|partner"},
    "pt": {"sex": "F|M|feminino|masculino", "marital": "solteiro|casado|divorciado|viúvo", "health": "asma|diabetes tipo 2|alergia a amendoim|gestante|hipertensão|nenhuma", "grade": "bom|regular|insuficiente|8,5", "relation": "pai|mãe|responsável|cônjuge"},
    "pl": {"sex": "K|M|kobieta|mężczyzna", "marital": "wolny|żonaty|rozwiedziony|wdowiec", "health": "astma|cukrzyca typu 2|uczulenie na orzechy|ciąża|nadciśnienie|brak", "grade": "dobry|dostateczny|4,5", "relation": "ojciec|matka|opiekun|partner"},
}


def pick(words):
    return random.choice(words.replace("\n", "|").split("|"))


def chars(alphabet, length):
    return "".join(random.choice(alphabet) for _ in range(length))


def digits(length):
    return random.choice("123456789") + chars(string.digits, length - 1)


def plain_phone(fake):
    """A number as people of the country type it, without a note or an extension."""
    return fake.phone_number().split(" x")[0].split("x")[0].replace("(0)", "").strip()


def as_digits(number):
    return "".join(c for c in number if c.isdigit())


def codice_fiscale():
    """Italy's, with its check letter; Faker's own depends on today."""
    odd = dict(zip(string.digits + string.ascii_uppercase, [1, 0, 5, 7, 9, 13, 15, 17, 19, 21] * 2 + [2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]))
    born, consonants = day(BORN), "BCDFGLMNPRSTVZ"
    body = chars(consonants, 6) + f"{born:%y}{'ABCDEHLMPRST'[born.month - 1]}{born.day + random.choice([0, 40]):02d}" + random.choice("ABDFGHL") + chars(string.digits, 3)
    total = sum(odd[c] if i % 2 == 0 else int(c) if c.isdigit() else ord(c) - 65 for i, c in enumerate(body))
    return body + chr(65 + total % 26)


def national_id(fake):
    """The number that the locale's country knows a person by; Faker has none or a wrong one for some."""
    own = {
        "de_DE": lambda: fake.rvnr(),
        "es_ES": lambda: random.choice([fake.nif, fake.nie])(),
        "it_IT": codice_fiscale,
        "en_GB": lambda: f"{pick('AB|CE|JK|PR|SC|TN')}{digits(6)}{random.choice('ABCD')}",
    }
    return str(own.get(fake.locale, fake.ssn)())


def email(fake):
    return f"{fake.user_name()}@{fake.domain_name()}"


def day(between):
    return between[0] + datetime.timedelta(days=random.randrange((between[1] - between[0]).days))


def clock():
    return f"{random.randint(0, 23):02d}:{random.randint(0, 59):02d}:{random.randint(0, 59):02d}"


def written_day(locale):
    return day(BORN).strftime({"en_US": "%m/%d/%Y", "de_DE": "%d.%m.%Y", "pl_PL": "%d.%m.%Y", "nl_NL": "%d-%m-%Y"}.get(locale, "%d/%m/%Y"))


def one_line(text):
    return text.replace("\n", ", ")


def record(fake, language):
    values = (fake.last_name(), fake.first_name(), email(fake), plain_phone(fake), day(BORN).isoformat(), one_line(fake.street_address()))
    return dict(zip(RECORD[language], values))


def sentence(language, value):
    return random.choice(AROUND[language]).format(value)


def note(fake, language):
    """What people write: mostly naming no one, a third of the time with a name or a way to reach one."""
    said = " ".join(random.sample(PLAIN[language].split("|"), 2))
    if random.random() < 0.65:
        return said
    return said + " " + sentence(language, random.choice([fake.name, lambda: email(fake), lambda: plain_phone(fake)])())


def luhn(body):
    total = sum(d if i % 2 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(int(c) for c in reversed(body)))
    return body + str(-total % 10)


def spaced(iban):
    """An IBAN as banks print it, with no-break spaces."""
    return "\u00a0".join(iban[i : i + 4] for i in range(0, len(iban), 4))


def of_persons(fake, language):
    words = WORDS[language]
    return {
        "first_name": fake.first_name,
        "last_name": fake.last_name,
        "full_name": lambda: f"{fake.first_name()} {fake.last_name()}",
        "name_upper": lambda: f"{fake.last_name().upper()} {fake.first_name()}",
        "initials": lambda: f"{fake.first_name()[0]}. {fake.last_name()[0]}.",
        "username": fake.user_name,
        "email": lambda: email(fake),
        "email_idn": lambda: f"{fake.user_name()}@{pick('müller|größe|café-crème|señal|città|łódź')}.{pick('de|fr|es|it|pl')}",
        "email_list": lambda: f"{email(fake)}, {email(fake)}",
        "phone": lambda: plain_phone(fake),
        "phone_digits": lambda: as_digits(plain_phone(fake)),
        "street": lambda: one_line(fake.street_address()),
        "full_address": lambda: one_line(fake.address()),
        "house_number": fake.building_number,
        "postcode": fake.postcode,
        "postcode_digits": lambda: as_digits(fake.postcode()) or digits(5),
        "city": fake.city,
        "birth_date_written": lambda: written_day(fake.locale),
        "sex": lambda: pick(words["sex"]),
        "country": fake.country,
        "marital": lambda: pick(words["marital"]),
        "occupation": fake.job,
        "grade": lambda: pick(words["grade"]),
        "relation": lambda: pick(words["relation"]),
        "health": lambda: pick(words["health"]),
        "national_id": lambda: national_id(fake),
        "plate": fake.license_plate,
        "iban": fake.iban,
        "iban_spaced": lambda: spaced(fake.iban()),
        "bban": fake.bban,
        "bic": fake.swift,
        "file": lambda: f"{pick('cv|scan|photo|passport|IMG')}_{fake.last_name().lower()}_{digits(3)}.{pick('pdf|jpg|png')}",
        "profile_url": lambda: f"https://{pick('twitter.com|github.com|www.linkedin.com/in|www.facebook.com')}/{fake.user_name()}",
        "company": fake.company,
    }


def documents(fake, language):
    return {
        "note": lambda: note(fake, language),
        "json_person": lambda: json.dumps(record(fake, language), ensure_ascii=False),
        "yaml_person": lambda: "---\n" + "\n".join(f"{k}: {v}" for k, v in record(fake, language).items()),
        "json_answer": lambda: json.dumps({"id": digits(8), "status": "ok", "result": {"owner": record(fake, language), "lines": [1, 2]}}, ensure_ascii=False),
        "page": lambda: " ".join(fake.sentences(3)),
    }


def everywhere(fake):
    letters = string.ascii_letters + string.digits
    return {
        "birth_date": lambda: day(BORN).isoformat(),
        "birth_year": lambda: str(day(BORN).year),
        "age": lambda: str(random.randint(16, 95)),
        "external_id": lambda: random.choice([lambda: digits(9), lambda: chars(string.ascii_uppercase, 2) + digits(7), lambda: f"cus_{chars(letters, 14)}"])(),
        "card": lambda: luhn(random.choice(["4", "51", "37"]) + digits(13)),
        "amount": lambda: f"{random.randint(10, 90000)}.{random.randint(0, 99):02d}",
        "password": fake.password,
        "bcrypt": lambda: f"$2a$12${chars(letters, 53)}",
        "token": lambda: chars(letters + "-_", 32),
        "code": lambda: digits(6),
        "ip": lambda: random.choice([fake.ipv4_public, fake.ipv4_public, fake.ipv6])(),
        "device": lambda: str(fake.uuid4()),
        "latitude": lambda: str(fake.latitude()),
        "longitude": lambda: str(fake.longitude()),
        "brand": lambda: pick(BRANDS),
        "film": lambda: pick(FILMS),
        "site": lambda: pick(SITES),
        "product": lambda: f"{pick(TRAITS)} {pick(GOODS)}",
        "status": lambda: pick(STATES),
        "order_number": lambda: f"{pick('R|INV-|2024-|F')}{digits(6)}",
        "order_number_ten": lambda: digits(10),
        "serial": lambda: f"{chars(string.ascii_uppercase, 2)}{digits(4)}-{chars(string.ascii_uppercase + string.digits, 6)}",
        "barcode": fake.ean13,
        "isbn": fake.isbn13,
        "version": lambda: f"{random.randint(0, 30)}.{random.randint(0, 20)}.{random.randint(0, 40)}",
        "version_four": lambda: f"{random.randint(1, 12)}.{random.randint(0, 9)}.{random.randint(0, 9)}.{random.randint(0, 30)}",
        "price": lambda: f"{random.randint(1, 900)}.{random.choice(['00', '50', '90', '99'])}",
        "md5": lambda: hashlib.md5(digits(9).encode()).hexdigest(),
        "sha256": lambda: hashlib.sha256(digits(9).encode()).hexdigest(),
        "uuid": lambda: str(fake.uuid4()),
        "slug": lambda: f"{pick(TRAITS)}-{pick(GOODS)}-{random.randint(1, 90)}".replace(" ", "-"),
        "url": lambda: f"https://www.example.com/{pick('help|media|products')}/{chars('0123456789abcdef', 8)}",
        "mime": lambda: pick("image/png|application/pdf|text/csv|image/jpeg"),
        "color": lambda: f"#{chars('0123456789abcdef', 6)}",
        "class_name": lambda: pick("User|Project|Order|Account|Document|Message"),
        "locale": lambda: pick("fr|en|de|es|it|nl|pt-BR"),
        "currency": fake.currency_code,
        "user_agent": lambda: f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{random.randint(90, 130)}.0.{random.randint(1000, 6000)}.{random.randint(1, 200)} Safari/537.36",
        "date": lambda: day(RECENT).isoformat(),
        "timestamp": lambda: f"{day(RECENT)} {clock()}.{digits(6)}",
        "time": clock,
        "integer": lambda: str(random.randint(0, 400)),
        "decimal": lambda: f"{random.randint(0, 300)}.{random.randint(0, 99):02d}",
        "boolean": lambda: pick("t|f"),
        "json_settings": lambda: json.dumps({"theme": pick("dark|light"), "per_page": random.randint(10, 99), "flags": ["a", "b"]}),
    }


def written(value):
    """A value as a line holds it."""
    return value.replace("\t", " ").replace("\n", "\\n")


LOCALES = ["fr_FR", "en_US", "en_GB", "de_DE", "es_ES", "it_IT", "nl_NL", "pt_BR", "pl_PL"]


def seeded(locale, number):
    Faker.seed(17_000 + number)
    random.seed(17_000 + number)
    fake = Faker(locale)
    fake.locale = locale
    return fake


def lines(sources, count):
    return [f"{name}\t{written(make())}" for name, make in sources.items() for _ in range(count)]


def write(name, content):
    (PLACE / f"{name}.tsv").write_text("\n".join(content) + "\n", encoding="utf-8")


def main():
    PLACE.mkdir(exist_ok=True)
    write("common", lines(everywhere(seeded("en_US", 0)), EACH))
    for number, locale in enumerate(LOCALES, 1):
        fake, language = seeded(locale, number), locale[:2]
        around = [f"around\t{text}" for text in AROUND[language]]
        write(locale, lines(of_persons(fake, language), EACH) + lines(documents(fake, language), LONG) + around)


# Faker's Italian towns come out of a set, whose order changes with every process unless this is fixed.
if os.environ.get("PYTHONHASHSEED") == "0":
    main()
else:
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
