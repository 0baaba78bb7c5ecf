"""Questions to the sample folder, each with words that what is cited for it must hold."""

ANSWERED = {
    "why was Israel skipped?": "economic diplomacy with the Gulf monarchies",
    "Which countries did Trump visit?": "Saudi Arabia, Qatar",
    "When did the tour take place?": "from 13 to 16 May 2025",
    "How much did Saudi Arabia pledge to invest?": "600 billion dollars",
    "Who called the hostage talks a disgraceful diplomatic failure?": "Yair Lapid called the hostage talks",
    "When was the hostage released?": "released on 12 May 2025",
    "What did Amit Segal say?": "all our eggs in one basket",
    "When did Trump announce direct talks with Iran?": "7 April",
    "Does the Houthi ceasefire cover Israel?": "does not cover Israel",
    "What did the Trump adviser say about Bibi?": "in MAGA, we are not Bibi fans",
    "When did Michael Waltz leave his post?": "1 May 2025",
    "Why was Trump offended by Netanyahu's congratulations to Biden?": "considered them disloyal",
    "How much military aid does Israel receive?": "38 billion dollars",
    "When did the embassy move to Jerusalem?": "14 May 2018",
    "Why has Trump's relationship with Putin cooled?": "because of the war in Ukraine",
    "Which Republican questions American commitments to Israel?": "Marjorie Taylor Greene",
}
FOLLOWED_UP = [
    # question, the one that leans on it, words
    ("Why was Israel skipped?", "Who criticised it?", "Lapid"),
    ("When was the ceasefire with the Houthis announced?", "Does it cover Israel?", "does not cover Israel"),
]
NOT_FOUND_QUESTIONS = [
    "What is the population of Qatar?",
    "Who won the 2022 World Cup?",
    "What is the capital of Denmark?",
]
