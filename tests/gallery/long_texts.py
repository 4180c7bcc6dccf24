"""Names and reasons of the length that German ones have."""

LONG_REASON = (
    "Die Börse hat die Schließungsorder wegen unzureichender Sicherheitsleistung im Unterkonto abgelehnt und "
    "bittet um Überprüfung der Risikobegrenzungsstufe, des Hebels und der Mindestordergröße für dieses Instrument"
)
LONG_NAME = "Daueraufträge-Unterkonto-Frankfurt-2"
