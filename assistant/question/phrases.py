"""The words by which a question is about the folder, a whole document, or nobody's: in English, German, Dutch, French
and Spanish. All are folded: in small letters, without accents.
"""

from __future__ import annotations

from assistant.question.vocabulary import SMALL_NUMBERS

# Kinds of files by what people call them, with their endings.
ENDINGS = {
    "PDF": ("pdf",),
    "Word document": ("docx", "doc", "odt", "rtf"),
    "spreadsheet": ("xlsx", "xls", "ods", "csv", "tsv"),
    "presentation": ("pptx", "ppt", "odp"),
    "e-mail": ("eml", "msg"),
    "picture": ("png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp"),
    "text file": ("txt", "text"),
    "Markdown file": ("md", "markdown"),
    "web page": ("html", "htm", "xhtml"),
    "CSV file": ("csv",),
    "JSON file": ("json",),
    "EPUB": ("epub",),
}
# What stands before "files" or "documents", and what does without.
KINDS = {
    "pdf": "PDF", "word": "Word document", "excel": "spreadsheet", "powerpoint": "presentation", "e-mail": "e-mail",
    "email": "e-mail", "mail": "e-mail", "image": "picture", "picture": "picture", "text": "text file",
    "txt": "text file", "markdown": "Markdown file", "html": "web page", "csv": "CSV file", "json": "JSON file",
    "epub": "EPUB",
}  # fmt: skip
KINDS_ALONE = {
    "pdf": "PDF", "pdfs": "PDF", "spreadsheets": "spreadsheet", "powerpoints": "presentation", "epubs": "EPUB",
    "textdateien": "text file", "pdf-dateien": "PDF", "pdf-dokumente": "PDF", "word-dateien": "Word document",
    "word-dokumente": "Word document", "tekstbestanden": "text file", "pdf-bestanden": "PDF",
}  # fmt: skip

# What a document may be called instead of a document, so that who names a report hardly means anything else.
NOUNS = frozenset(
    (
        "abstract agenda agreement article bill book brief brochure bylaw catalogue certificate chapter charter "
        "contract datasheet e-mail email essay faq filing form guide handbook instruction interview invoice leaflet "
        "letter log magazine mail manual memo message "
        "minutes newsletter note notes notebook offer paper piece poem policy prospectus protocol quote readme receipt "
        "record "
        "regulations report resume review rules schedule slides specification speech statement statutes story summary "
        "thesis "
        "transcript treaty tutorial will "
        "bericht jahresbericht brief handbuch vertrag rechnung quittung protokoll anleitung satzung notizen artikel "
        "buch "
        "verslag jaarverslag handleiding contract factuur bon notulen notities boek "
        "rapport lettre contrat facture recu manuel notice proces-verbal reglement livre compte-rendu "
        "informe carta contrato factura recibo manual acta reglamento libro memoria"
    ).split()
)
# The same for several of them.
PLURALS = frozenset(
    (
        "abstracts agendas agreements articles bills books briefs brochures bylaws catalogues certificates chapters "
        "charters contracts datasheets e-mails emails essays filings forms guides handbooks instructions interviews "
        "invoices leaflets letters logs magazines mails manuals memos messages newsletters notebooks offers papers "
        "pieces poems policies prospectuses protocols quotes readmes receipts records reports reviews schedules "
        "specifications speeches statements stories summaries theses transcripts treaties tutorials "
        "berichte berichten jahresberichte briefe briefen vertrage rechnungen quittungen protokolle anleitungen "
        "satzungen bucher "
        "verslagen brieven handleidingen contracten facturen bonnen artikelen boeken "
        "rapports lettres contrats factures recus notices reglements livres "
        "informes cartas contratos facturas recibos manuales actas reglamentos libros articulos"
    ).split()
)
# Those that any document may be called, also one that is called an interview.
LOOSE_NOUNS = frozenset(
    "article articles essay essays note notes paper papers piece pieces story stories artikel artikelen".split()
)
# What points at a document or at all of them, and no more.
POINTING = frozenset(
    (
        "this that the it its attached uploaded whole entire given my our your current "
        "dies dieses diese diesem diesen dieser das der die dem den des es mein meine "
        "dit deze het de ce cet cette le la l' ca este esta esto el lo eso"
    ).split()
)
MANY = frozenset(
    (
        "these those them all every everything here contents content "
        "alle allen alles samtliche hier beide inhalt deze alle alles ces tous toutes tout les ici estos estas todos "
        "todo todas los las aqui"
    ).split()
)
# What stands around a name, and is none of it.
AROUND = frozenset(
    (
        "the this that my our your a an these those all both each called named titled entitled of "
        "der die das den dem des dieser diese dieses diesen diesem mein meine unser unsere "
        "het de dit deze een mijn le la les l' du ce cet cette ces un une mon el los las un una este esta mi"
    ).split()
)

FIRST_OR_LAST = {
    "newest": "newest", "latest": "newest", "most recent": "newest", "last": "newest", "oldest": "oldest",
    "earliest": "oldest", "longest": "longest", "shortest": "shortest", "largest": "largest", "biggest": "largest",
    "smallest": "smallest",
    "neueste": "newest", "neuste": "newest", "alteste": "oldest", "langste": "longest", "kurzeste": "shortest",
    "grosste": "largest", "kleinste": "smallest",
    "nieuwste": "newest", "oudste": "oldest", "kortste": "shortest", "grootste": "largest",
    "plus recent": "newest", "plus ancien": "oldest", "plus long": "longest", "plus court": "shortest",
    "plus grand": "largest", "plus petit": "smallest",
    "mas reciente": "newest", "mas nuevo": "newest", "mas antiguo": "oldest", "mas largo": "longest",
    "mas corto": "shortest", "mas grande": "largest", "mas pequeno": "smallest",
}  # fmt: skip

MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "januar februar marz april mai juni juli august september oktober november dezember",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    )
    for number, name in enumerate(names.split(), start=1)
}

NUMBERS = {
    **{word: number for number, word in enumerate(SMALL_NUMBERS[:13])},
    "a": 1, "einem": 1, "ein": 1, "een": 1, "une": 1, "un": 1, "una": 1, "zwei": 2, "drei": 3, "vier": 4, "funf": 5,
    "zehn": 10, "twee": 2, "drie": 3, "vijf": 5, "tien": 10, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "dix": 10,
    "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "diez": 10,
}  # fmt: skip

# What stands before what is wanted, and before or after it, out of politeness or habit.
POLITE_BEFORE = (
    "can you", "could you", "would you", "will you", "can you tell me", "could you tell me", "can i have", "i want",
    "i want to know", "i would like", "i need", "tell me", "do you know", "just", "so", "now", "then", "kannst du",
    "konnen sie", "konntest du", "sag mir", "kun je", "kunt u", "peux-tu", "pouvez-vous", "dis-moi", "puedes",
    "podrias", "puede", "dime",
)  # fmt: skip
POLITE = (
    "please", "kindly", "for me", "bitte", "alsjeblieft", "alstublieft", "s' il te plait", "s' il vous plait",
    "por favor",
)  # fmt: skip

# What is said to be friendly.
GREETINGS = (
    "hi", "hi there", "hello", "hello there", "hey", "hey there", "hiya", "howdy", "greetings", "good morning",
    "good afternoon", "good evening", "good day", "how are you", "how are you doing", "nice to meet you",
    "hallo", "guten morgen", "guten tag", "guten abend", "moin", "servus", "gruss gott", "gruezi", "wie geht's",
    "wie geht es dir", "goedemorgen", "goedemiddag", "goedenavond", "goedendag", "hoi", "dag",
    "bonjour", "bonsoir", "salut", "coucou", "hola", "buenos dias", "buenas tardes", "buenas noches", "buenas",
    "ciao", "buongiorno", "ola", "bom dia", "hej",
    "hei", "merhaba", "привет", "здравствуйте", "你好", "您好",
    "こんにちは", "안녕하세요", "مرحبا", "سلام",
    "नमस्ते", "สวัสดี", "สวัสดีครับ", "สวัสดีค่ะ", "שלום",
)  # fmt: skip
THANKS = (
    "thanks", "thank you", "thanks a lot", "thanks so much", "thank you so much", "thank you very much",
    "many thanks",
    "thx", "ty", "cheers", "much appreciated", "thanks for your help", "thank you for your help", "that helped",
    "danke", "danke schon", "danke dir", "danke sehr", "vielen dank", "besten dank", "dank je", "dank je wel",
    "dank u", "dank u wel", "dankjewel", "bedankt", "hartelijk dank", "merci", "merci beaucoup", "merci bien",
    "gracias", "muchas gracias", "mil gracias", "grazie", "obrigado", "obrigada", "tack", "takk", "tak", "спасибо",
    "谢谢", "ありがとう", "ありがとうございます", "감사합니다", "شكرا",

    "धन्यवाद", "ขอบคุณ", "ขอบคุณครับ", "ขอบคุณค่ะ", "teşekkürler",
)  # fmt: skip
ASSENTS = (
    "ok", "okay", "k", "kk", "okey", "ok then", "all right", "alright", "right", "fine", "great", "cool", "nice",
    "perfect",
    "excellent", "wonderful", "super", "awesome", "good", "very good", "sounds good", "got it", "i see", "understood",
    "yes", "yes please", "yeah", "yep", "yup", "sure", "no", "no thanks", "no thank you", "nope", "never mind",
    "bye", "goodbye", "bye bye", "see you", "good night", "that is all", "ja", "nein", "gut", "sehr gut",
    "alles klar",
    "verstanden", "in ordnung", "passt", "prima", "tschuss", "auf wiedersehen", "nee", "goed", "prima", "begrepen",
    "tot ziens", "doei", "oui", "non", "d' accord", "tres bien", "bien", "parfait", "au revoir", "si", "vale",
    "de acuerdo", "muy bien", "perfecto", "entendido", "adios", "hasta luego", "да", "нет", "хорошо", "好", "好的",
    "はい", "네", "ครับ",
)  # fmt: skip
