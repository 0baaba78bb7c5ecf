"""Questions in other languages than English are read by the words of their own."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import answer
from assistant.question.asked import (
    asks_for,
    asks_for_several,
    asks_how,
    asks_whether,
    denies,
    find_answer_words,
    find_names,
    find_numbers,
    goes_on,
    holds,
    leans,
)
from assistant.question.mismatch import tell_mismatch
from assistant.question.question import read_question
from assistant.question.wording import KINDS, drop_little, load_wordings, strip_accents
from assistant.quoting.conflicts import find_conflicts
from index.settings import Settings
from index.splitting.languages import LITTLE_WORDS, find_languages, find_running_language

ASKED = [
    ("Warum fiel der Zug aus?", "reason"),
    ("Was hat die Ministerin gesagt?", "statement"),
    ("Wie hoch ist die Gebühr?", "number"),
    ("Wie viele Zimmer gibt es?", "number"),
    ("Was kostet der Eintritt?", "number"),
    ("Seit wann gilt die Regel?", "time"),
    ("Um wie viel Uhr schließt das Bad?", "time"),
    ("In welchem Jahr wurde die Brücke gebaut?", "time"),
    ("Wer leitet die Schule?", "person"),
    ("Wo liegt der Schlüssel?", "place"),
    ("Welche Farbe hat das Dach?", ""),
    ("Waarom is de brug dicht?", "reason"),
    ("Hoeveel kost een kaartje?", "number"),
    ("Hoe laat gaat de winkel open?", "time"),
    ("Wie is de burgemeester?", "person"),
    ("Waar ligt het archief?", "place"),
    ("Pourquoi la route est-elle fermée ?", "reason"),
    ("Qu'a dit la directrice ?", "statement"),
    ("Combien de salles y a-t-il ?", "number"),
    ("En quelle année le pont a-t-il été construit ?", "time"),
    ("Qui dirige l'école ?", "person"),
    ("Où se trouve la clé ?", "place"),
    ("Quelle est la couleur du toit ou du mur ?", ""),
    ("¿Por qué se cerró la calle?", "reason"),
    ("¿Cuántas salas hay?", "number"),
    ("cuanto cuesta la entrada", "number"),
    ("¿Cuándo abre el museo?", "time"),
    ("¿Quién dirige la escuela?", "person"),
    ("¿Dónde está la llave?", "place"),
    ("Perché la strada è chiusa?", "reason"),
    ("Quanto costa il biglietto?", "number"),
    ("A che ora chiude la piscina?", "time"),
    ("Chi dirige la scuola?", "person"),
    ("Dov'è la chiave?", "place"),
    ("Por que a rua está fechada?", "reason"),
    ("Quantos quartos há?", "number"),
    ("Quem dirige a escola?", "person"),
    ("Onde fica a chave?", "place"),
    ("Varför är vägen stängd?", "reason"),
    ("Hur många rum finns det?", "number"),
    ("Hvorfor er vejen lukket?", "reason"),
    ("Hvor mange rom er det?", "number"),
    ("Hvem leder skolen?", "person"),
    ("Hvor ligger nøkkelen?", "place"),
    ("Dlaczego droga jest zamknięta?", "reason"),
    ("Ile kosztuje bilet?", "number"),
    ("Kto kieruje szkołą?", "person"),
    ("Yol neden kapalı?", "reason"),
    ("Bilet ne kadar?", "number"),
    ("Müze ne zaman açılıyor?", "time"),
    ("Okulu kim yönetiyor?", "person"),
    ("Почему дорога закрыта?", "reason"),
    ("Сколько стоит билет?", "number"),
    ("Когда открывается музей?", "time"),
    ("Кто руководит школой?", "person"),
    ("Где лежит ключ?", "place"),
    ("सड़क क्यों बंद है?", "reason"),
    ("टिकट कितने का है?", "number"),
    ("चाबी कहाँ है?", "place"),
    ("لماذا أغلق الطريق؟", "reason"),
    ("كم سعر التذكرة؟", "number"),
    ("متى يفتح المتحف؟", "time"),
    ("أين المفتاح؟", "place"),
    ("ทำไมถนนปิด", "reason"),
    ("ตั๋วราคาเท่าไร", "number"),
    ("พิพิธภัณฑ์เปิดกี่โมง", "time"),
    ("ใครเป็นครูใหญ่", "person"),
    ("กุญแจอยู่ที่ไหน", "place"),
    ("为什么道路封闭？", "reason"),
    ("门票多少钱？", "number"),
    ("博物馆几点开门？", "time"),
    ("谁管理学校？", "person"),
    ("钥匙在哪里？", "place"),
    ("なぜ道路は閉鎖されたのですか？", "reason"),
    ("部屋はいくつありますか？", "number"),
    ("博物館はいつ開きますか？", "time"),
    ("鍵はどこにありますか？", "place"),
]

HELD = [
    # kind, sentence, question, whether it holds
    ("reason", "Die Straße ist gesperrt, weil ein Rohr brach.", "", True),
    ("reason", "Die Straße ist gesperrt.", "", False),
    ("statement", "Laut Bericht sind die Rohre alt.", "", True),
    ("number", "Das Haus hat zwölf Zimmer.", "", True),
    ("number", "Das Haus steht seit 1950 leer.", "", False),
    ("time", "Das Bad schließt um 19 Uhr.", "", True),
    ("time", "Die Brücke wird im Mai gebaut.", "", True),
    ("time", "Das Haus hat zwölf Zimmer.", "", False),
    ("person", "Die Schule leitet Martha Kühn.", "Wer leitet die Schule?", True),
    ("person", "Das Formular prüft Frau Özdemir.", "Wer prüft das Formular?", True),
    ("person", "Die Schule hat einen Garten hinter der Turnhalle.", "Wer leitet die Schule?", False),
    ("place", "Der Schlüssel liegt im Keller.", "Wo liegt der Schlüssel?", True),
    ("place", "Der Schlüssel fehlt im März.", "Wo liegt der Schlüssel?", False),
    ("reason", "La route est fermée car un tuyau a cassé.", "", True),
    ("number", "La maison a douze pièces.", "", True),
    ("time", "Le pont ferme en août.", "", True),
    ("person", "L'école est dirigée par Élise Caron.", "Qui dirige l'école ?", True),
    ("person", "L'école est dirigée par un comité.", "Qui dirige l'école ?", False),
    ("reason", "De brug is dicht omdat de lier kapot is.", "", True),
    ("time", "De brug gaat in maart open.", "", True),
    ("reason", "La calle está cerrada porque se rompió un tubo.", "", True),
    ("time", "El museo abre los martes.", "", True),
    ("reason", "ถนนปิดเพราะท่อแตก", "", True),
    ("time", "เปิดเวลา 9.00 น.", "", True),
]

ANSWERS = [
    ("number", "Die Miete beträgt 1.234,56 € im Monat.", "1.234,56 €"),
    ("number", "Der Zuschlag liegt bei 12 %.", "12 %"),
    ("number", "Das Haus hat zwölf Zimmer.", "zwölf"),
    ("number", "Le loyer est de 1 234,56 € par mois.", "1 234,56 €"),
    ("number", "Le loyer est de 1\u202f150 euros.", "1\u202f150 euros"),
    ("number", "El alquiler es de 850 euros.", "850 euros"),
    ("time", "Das Bad wurde am 3. März 1998 eröffnet.", "3. März 1998"),
    ("time", "Le pont a été construit en août 1962.", "août 1962"),
    ("time", "El museo abre el 1 de mayo de 2021.", "1 de mayo de 2021"),
    ("person", "Die Schule leitet Martha Kühn.", "Martha Kühn"),
    ("person", "L'école est dirigée par Élise Caron.", "Élise Caron"),
    ("number", "Das Haus hat zwölf Zimmer und drei Bäder.", None),
]


@pytest.mark.parametrize(("question", "kind"), ASKED, ids=[question for question, _ in ASKED])
def test_a_question_says_what_kind_of_thing_it_wants(question: str, kind: str) -> None:
    assert asks_for(question) == kind


@pytest.mark.parametrize(("kind", "sentence", "question", "held"), HELD, ids=[row[1] for row in HELD])
def test_a_sentence_holds_what_is_asked_for(kind: str, sentence: str, question: str, held: bool) -> None:
    assert holds(kind, sentence, question) is held


@pytest.mark.parametrize(("kind", "sentence", "words"), ANSWERS, ids=[row[1] for row in ANSWERS])
def test_the_very_words_of_an_answer_are_found(kind: str, sentence: str, words: str | None) -> None:
    place = find_answer_words(kind, frozenset(), sentence)
    assert (sentence[slice(*place)] if place else None) == words


def test_what_else_a_question_may_want_is_read() -> None:
    whether = [
        "Darf man grillen?",
        "Peut-on fumer ?",
        "¿Se admiten perros?",
        "Mag ik roken?",
        "ปิดวันจันทร์ไหม",
        "هل يفتح غدا؟",
    ]
    assert [question for question in whether if not asks_whether(question)] == []
    assert not asks_whether("Wann darf man grillen?")
    how = ["Wie meldet man sich an?", "Comment s'inscrire ?", "¿Cómo se reserva?", "Hoe kan ik reserveren?"]
    assert [question for question in how if not asks_how(question)] == []
    several = [
        "Welche Tiere sind erlaubt?",
        "Quels documents faut-il ?",
        "¿Cuáles son los requisitos?",
        "Quali sono i giorni?",
    ]
    assert [question for question in several if not asks_for_several(question)] == []
    assert not asks_for_several("Welche Farbe hat das Dach?")


def test_what_a_sentence_denies_or_leans_on_is_read() -> None:
    assert denies("Hunde sind nicht erlaubt.")
    assert denies("Les chiens ne sont pas admis.")
    assert not denies("Hunde sind an der Leine zu führen.")
    assert leans("Er wurde 1950 gebaut.")
    assert leans("Elle a été construite en 1950.")
    assert not leans("Het contract gaat in mei in.")
    assert goes_on("Danach wird der Deckel geschlossen.")


def test_german_nouns_are_no_names() -> None:
    assert find_names("Wo liegt der Schlüssel für den Keller?") == []
    assert find_names("Wann zog Martha Kühn in die Wohnung am Schwarzen Brett?") == ["Martha Kuhn"]
    assert read_question("Hat das Haus einen Aufzug?").named == ()


def test_numbers_in_words_are_numbers() -> None:
    assert find_numbers("Zwölf Zimmer und drei Bäder") == {"12", "3"}
    assert find_numbers("deux chambres et 1 234,50 euros") >= {"2"}


def test_what_only_asks_is_no_content() -> None:
    assert read_question("Wie hoch ist die Kaution?").terms == ("kaution",)
    assert read_question("Wie hoch ist das Hochregal?").terms == ("hochreg",)
    assert read_question("Quel est le loyer mensuel ?").terms == ("loyer", "mensuel")
    assert drop_little("เงินประกันเท่าไร").strip() == "เงินประกัน"
    assert read_question("Was ist das?").terms  # what has nothing else keeps its little words


def test_english_is_read_as_english_among_foreign_names() -> None:
    question = read_question("Who directed La Vie en rose and Die Welle?")
    assert (question.kind, find_languages(question.words)) == ("person", ("English",))
    assert drop_little("Where is the Rue de la Paix?") == "Where is the Rue de la Paix?"


def test_rivals_are_those_of_the_question_s_language() -> None:
    question = read_question("Wer hat das Spiel gewonnen?")
    assert find_conflicts(question, "Das Spiel haben die Gäste verloren.", "")["rival"] == 1
    assert find_conflicts(question, "Das Spiel haben die Gäste gewonnen.", "")["rival"] == 0


def test_where_no_word_tells_the_language_the_question_words_of_all_are_looked_for() -> None:
    assert find_languages("Quanto Bremen?") == ("Italian", "Portuguese")
    assert asks_for("Quanto Bremen?") == "number"
    assert find_languages("Bremen Oslo") == ()


def test_the_language_of_a_text_is_told_by_two_different_little_words_and_not_by_a_row_of_a_table() -> None:
    assert [find_running_language(row) for row in ("Dog walk Ben", "Per week 5", "Ben, Ben, ben")] == ["", "", ""]
    assert find_running_language("Der Verein hat seinen Sitz in Bonn und ist offen.") == "German"
    assert find_running_language("家賃はいくらですか") == "Japanese"


@pytest.mark.parametrize("wording", load_wordings(), ids=lambda wording: wording.language)
def test_every_wording_is_whole(wording) -> None:  # type: ignore[no-untyped-def]
    assert list(wording.asked) == list(KINDS)
    assert {"reason", "statement", "number", "time"} <= wording.held.keys()
    assert wording.asks.keys() == {"whether", "how", "several", "one"}
    assert wording.says.keys() == {"manner", "step", "leaning", "negation"}
    assert len(wording.numbers) >= 11
    assert all(getattr(wording, field.name) is not None for field in fields(wording))


@given(st.text(max_size=400))
def test_letters_without_accents_are_as_many(text: str) -> None:
    assert len(strip_accents(text)) == len(text)


@given(st.text(max_size=400), st.sampled_from(sorted(LITTLE_WORDS)))
def test_any_text_is_read(text: str, language: str) -> None:
    words = f"{' '.join(sorted(LITTLE_WORDS[language])[:5])} {text}"
    question = read_question(words)
    assert question.terms or not question.asked
    for kind in KINDS:
        holds(kind, words, text)
        place = find_answer_words(kind, frozenset(), words)
        assert place is None or 0 <= place[0] < place[1] <= len(words)


# -- the hint ---------------------------------------------------------------------------------


def test_a_question_in_no_document_s_language_is_told_so() -> None:
    told = tell_mismatch("Wie hoch ist die Miete?", ("English",), is_english_only=True)
    assert told == (
        "The documents are in English and the question is in German: ask in English, or set "
        "FOOTNOTE_EMBEDDING=local:multilingual, which finds across languages."
    )
    told = tell_mismatch("Wie hoch ist die Miete?", ("English", "French"), is_english_only=False)
    assert told == "The documents are in English and French and the question is in German: ask in one of these."


@pytest.mark.parametrize(
    ("question", "languages"),
    [
        ("Wie hoch ist die Miete?", ("English", "German")),
        ("Wie hoch ist die Miete?", ()),
        ("Miete Bremen", ("English",)),
        ("What is the rent?", ("English",)),
        ("Los Angeles", ("English",)),
        ("Die Hard trailer", ("English",)),
    ],
)
def test_what_is_no_mismatch_or_cannot_be_told_gets_no_hint(question: str, languages: tuple[str, ...]) -> None:
    assert tell_mismatch(question, languages, is_english_only=True) == ""


def test_the_hint_goes_with_a_refusal_and_follows_the_folder(folder: Path, settings: Settings) -> None:
    (folder / "lease.md").write_text("The monthly rent is 1,150 euros. The landlord repairs the roof.", "utf-8")
    settings = replace(settings, documents=folder)
    refused = answer("Quel est le loyer mensuel ?", settings=settings)
    assert not refused.found
    assert refused.notice.startswith("The documents are in English and the question is in French: ask in English, or")
    (folder / "bail.md").write_text("Le bail est signé par les deux parties. La cave est dans la cour.", "utf-8")
    assert answer("Quelle est la couleur du toit ?", settings=settings).notice == ""
    (folder / "bail.md").unlink()
    told = answer("Quelle est la couleur du toit ?", settings=settings).notice
    assert told.startswith("The documents are in English and the question is in French")


def test_a_german_question_is_answered_from_a_german_document(folder: Path, settings: Settings) -> None:
    (folder / "hausordnung.txt").write_text(
        "Hausordnung\n\nDas Licht im Keller wird um 22 Uhr abgeschaltet. Die Mülltonnen werden dienstags geleert. "
        "Die Kaution beträgt drei Monatsmieten. Der Plan hängt am Schwarzen Brett.",
        "utf-8",
    )
    result = answer("Wie hoch ist die Kaution?", settings=replace(settings, documents=folder))
    assert result.found
    assert result.sentences[0].text == "Die Kaution beträgt drei Monatsmieten."
