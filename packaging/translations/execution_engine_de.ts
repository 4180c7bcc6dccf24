<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
    <context>
        <name>Execution Engine</name>
        <message>
            <location filename="../../src/execution_engine/ui/bridge.py" />
            <source>This failed ({name}); the log says more.</source>
            <translation>Das schlug fehl ({name}); mehr sagt das Log.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/equity.py" />
            <source>Equity, realized</source>
            <translation>Equity, realisiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/grid_preview.py" />
            <source>Preview of the grid</source>
            <translation>Vorschau des Grids</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/grid_preview.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Leg</source>
            <translation>Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/grid_preview.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Target</source>
            <translation>Ziel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/grid_preview.py" />
            <source>Average entry if filled so far</source>
            <translation>Ø Einstieg bei Ausführung bis dahin</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/grid_preview.py" />
            <source>with what is spent so far</source>
            <translation>mit dem bis dahin Eingesetzten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/grid_preview.py" />
            <source>nothing to draw</source>
            <translation>nichts darzustellen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/grid_preview.py" />
            <source>leg {count} at {price}</source>
            <translation>Stufe {count} bei {price}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/grid_preview.py" />
            <source>Leg {place}</source>
            <translation>Stufe {place}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Select a position to see its chart.</source>
            <translation>Wählen Sie eine Position, um ihren Chart zu sehen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position.py" />
            <source>Position chart</source>
            <translation>Chart der Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position.py" />
            <source>Chart of {name}</source>
            <translation>Chart von {name}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_drawing.py" />
            <source>{percent} from the average entry</source>
            <translation>{percent} vom Ø Einstieg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_drawing.py" />
            <source>price then {last}</source>
            <translation>Preis damals {last}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_marks.py" />
            <source>sold</source>
            <translation>verkauft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_marks.py" />
            <source>bought back</source>
            <translation>zurückgekauft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_marks.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Average entry</source>
            <translation>Ø Einstieg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_marks.py" />
            <source>{verb} {quantity} {base} at {price}</source>
            <translation>{quantity} {base} zu {price} {verb}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_marks.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Group target</source>
            <translation>Gruppenziel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_marks.py" />
            <source>, realized {label} USD</source>
            <translation>, realisiert {label} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/position_marks.py" />
            <source>bought</source>
            <translation>gekauft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/results.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Equity and drawdown</source>
            <translation>Equity und Drawdown</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/results.py" />
            <source>{time} · equity {amount} USD · since the beginning {amount_2} · drawdown {amount_3} ({percent})</source>
            <translation>{time} · Equity {amount} USD · seit Beginn {amount_2} · Drawdown {amount_3} ({percent})</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/charts/results.py" />
            <source>Equity {amount} USD before the first result</source>
            <translation>Equity {amount} USD vor dem ersten Ergebnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>The secret is hidden here, and counts as the right one. To have it whole, copy the message under Compose.</source>
            <translation>Das Geheimnis ist hier verborgen und gilt als das richtige. Vollständig erhalten Sie es, wenn Sie die Nachricht unter „Verfassen“ kopieren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>Paste a message, yours or one from elsewhere. Nothing is sent.</source>
            <translation>Fügen Sie eine Nachricht ein, eine eigene oder eine fremde. Es wird nichts gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>Message to check</source>
            <translation>Zu prüfende Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>Paste</source>
            <translation>Einfügen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>Take the composed one</source>
            <translation>Verfasste übernehmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>What the listener would say</source>
            <translation>Was der Empfänger antworten würde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>What sends it</source>
            <translation>Gesendet durch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>Nothing to check yet</source>
            <translation>Noch nichts zu prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <location filename="../../src/execution_engine/ui/pages/away/sending.py" />
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/message.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Message</source>
            <translation>Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Sent by</source>
            <translation>Gesendet von</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>What it would come to now</source>
            <translation>Was sie jetzt bewirken würde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>What to look out for</source>
            <translation>Worauf zu achten ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/checking.py" />
            <source>Placeholders are filled as on {place}. Nothing is sent.</source>
            <translation>Platzhalter sind gefüllt wie bei {place}. Es wird nichts gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>There is no webhook: add one under Settings, Webhook &amp; tunnel.</source>
            <translation>Es gibt keinen Webhook: Legen Sie einen unter Einstellungen, Webhook &amp; Tunnel an.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>What is composed</source>
            <translation>Was verfasst wird</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Copy URL</source>
            <translation>URL kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Message for TradingView</source>
            <translation>Nachricht für TradingView</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Copy message</source>
            <translation>Nachricht kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>the URL</source>
            <translation>URL</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>the secret in the message</source>
            <translation>Geheimnis in der Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source> It is the local one: TradingView cannot reach it.</source>
            <translation> Es ist die lokale: TradingView kann sie nicht erreichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source> It contains your secret.</source>
            <translation> Sie enthält Ihr Geheimnis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>Show the URL</source>
            <translation>URL anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>Show the secret in the message</source>
            <translation>Geheimnis in der Nachricht anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>In TradingView</source>
            <translation>In TradingView</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>{size} bytes</source>
            <translation>{size} Bytes</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>Copied the URL of {token}. It contains your secret.{local}</source>
            <translation>URL von {token} kopiert. Sie enthält Ihr Geheimnis.{local}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>Copied the message.{told}</source>
            <translation>Nachricht kopiert.{told}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Webhook URL</source>
            <translation>Webhook-URL</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>Hide {what}</source>
            <translation>{what} ausblenden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/composing.py" />
            <source>Show {what}</source>
            <translation>{what} anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/dialog.py" />
            <source>Compose</source>
            <translation>Verfassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/dialog.py" />
            <source>Check a message</source>
            <translation>Nachricht prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/dialog.py" />
            <location filename="../../src/execution_engine/ui/composer/glossary.py" />
            <source>Placeholders</source>
            <translation>Platzhalter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/dialog.py" />
            <source>Compose alert</source>
            <translation>Alarm verfassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/dialog.py" />
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/page.py" />
            <source>Send test alert…</source>
            <translation>Testalarm senden…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/dialog.py" />
            <location filename="../../src/execution_engine/ui/frame/helping.py" />
            <location filename="../../src/execution_engine/ui/frame/sheet.py" />
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <location filename="../../src/execution_engine/ui/pages/test_alert.py" />
            <location filename="../../src/execution_engine/ui/widgets/notices.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Close</source>
            <translation>Schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/dialog.py" />
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <source>View</source>
            <translation>Ansicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/dialog.py" />
            <source>Nothing is sent from here but a test alert.</source>
            <translation>Von hier wird nichts gesendet außer einem Testalarm.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>From the chart</source>
            <translation>Aus dem Chart</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>As the settings say</source>
            <translation>Laut Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Chosen by the symbol</source>
            <translation>Nach Symbol gewählt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>{{interval}} is always 1 in price alerts, so it is written out.</source>
            <translation>{{interval}} ist in Preisalarmen immer 1, daher steht der Wert ausgeschrieben da.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>The settings ask for it.</source>
            <translation>Die Einstellungen verlangen es.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>The token in the URL is enough.</source>
            <translation>Das Token in der URL genügt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>No secret is set; the token in the URL is enough.</source>
            <translation>Kein Geheimnis festgelegt; das Token in der URL genügt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>The vault is locked; unlock it first.</source>
            <translation>Der Tresor ist gesperrt; entsperren Sie ihn zuerst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Timeframe</source>
            <translation>Zeitrahmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Capital, USD</source>
            <translation>Kapital, USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>as the strategy's orders say</source>
            <translation>laut den Orders der Strategie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Fixed symbol</source>
            <translation>Festes Symbol</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Capital in USD</source>
            <translation>Kapital in USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Secret in the message</source>
            <translation>Geheimnis in der Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>The capital must be above 0.</source>
            <translation>Das Kapital muss größer als 0 sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <location filename="../../src/execution_engine/window.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Webhook</source>
            <translation>Webhook</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <location filename="../../src/execution_engine/ui/pages/away/sending.py" />
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/bar.py" />
            <source>Account</source>
            <translation>Konto</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>What sends the alert</source>
            <translation>Was den Alarm sendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Side</source>
            <translation>Richtung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/ui/pages/test_alert.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Symbol</source>
            <translation>Symbol</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Grid</source>
            <translation>Grid</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>TP mode</source>
            <translation>TP-Modus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Form</source>
            <translation>Form</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Fields</source>
            <translation>Felder</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Layout</source>
            <translation>Anordnung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <location filename="../../src/execution_engine/ui/tables/delegates.py" />
            <source>Long</source>
            <translation>Long</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <location filename="../../src/execution_engine/ui/tables/delegates.py" />
            <source>Short</source>
            <translation>Short</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Exit</source>
            <translation>Ausstieg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Fixed</source>
            <translation>Fest</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Structured</source>
            <translation>Strukturiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Flat</source>
            <translation>Flach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Usual</source>
            <translation>Üblich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>By name</source>
            <translation>Nach Name</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Lines</source>
            <translation>Zeilen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>One line</source>
            <translation>Eine Zeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>Name a symbol, as {first}.</source>
            <translation>Geben Sie ein Symbol an, z. B. {first}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>“{text}” is no timeframe: 15m, 4h, 1d, 30s, or minutes as a number.</source>
            <translation>„{text}“ ist kein Zeitrahmen: 15m, 4h, 1d, 30s oder Minuten als Zahl.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/form.py" />
            <source>The capital {capital}.</source>
            <translation>Das Kapital {capital}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/glossary.py" />
            <source>In every alert made on a chart</source>
            <translation>In jedem Alarm auf einem Chart</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/glossary.py" />
            <source>Only in the alerts of a strategy</source>
            <translation>Nur in den Alarmen einer Strategie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/glossary.py" />
            <source>Placeholder</source>
            <translation>Platzhalter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/glossary.py" />
            <source>Stands for</source>
            <translation>Steht für</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/glossary.py" />
            <source>As here</source>
            <translation>Wert hier</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/text.py" />
            <source>TradingView has no such placeholder; it would arrive as it stands.</source>
            <translation>TradingView kennt diesen Platzhalter nicht; er käme unverändert an.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Set up a tunnel</source>
            <translation>Tunnel einrichten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>The markets are not known yet: the message cannot be checked.</source>
            <translation>Die Märkte sind noch nicht bekannt: Die Nachricht kann nicht geprüft werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Per leg</source>
            <translation>Je Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Aggregate</source>
            <translation>Gesamt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Hybrid</source>
            <translation>Hybrid</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Strategy</source>
            <translation>Strategie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>Price or indicator</source>
            <translation>Preis oder Indikator</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>alert() in a script</source>
            <translation>alert() in einem Skript</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>the strategy, with “Order fills only” or both kinds of events</source>
            <translation>die Strategie, mit „Order fills only“ oder beiden Arten von Ereignissen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>your own, and as trigger “Once Per Bar Close”</source>
            <translation>Ihre eigene, und als Auslöser „Once Per Bar Close“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>Message: replace all of the text by this message.</source>
            <translation>Nachricht: Ersetzen Sie den gesamten Text durch diese Nachricht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>Notifications: tick Webhook URL and paste the URL. TradingView asks for a paid plan and two-factor login.</source>
            <translation>Benachrichtigungen: Haken Sie Webhook-URL an und fügen Sie die URL ein. TradingView verlangt ein kostenpflichtiges Abo und die Zwei-Faktor-Anmeldung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>Alert</source>
            <translation>Alarm</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/halts.py" />
            <source> and </source>
            <translation> und </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>Refused with {status}, {count}</source>
            <translation>Abgelehnt mit {status}, {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>Refused with {status}: {field}: {sentence}</source>
            <translation>Abgelehnt mit {status}: {field}: {sentence}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>On the chart press Alt+A. Condition: {condition}. Expiration: open-ended, or as late as your plan lets you; an alert that expired is silent.</source>
            <translation>Drücken Sie im Chart Alt+A. Bedingung: {condition}. Ablauf: unbefristet oder so spät, wie Ihr Abo es zulässt; ein abgelaufener Alarm bleibt stumm.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>{field}, line {line}</source>
            <translation>{field}, Zeile {line}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>{kind} on {where}: {said}</source>
            <translation>{kind} auf {where}: {said}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>Valid, but not now. {when}{rehearsed}.</source>
            <translation>Gültig, aber nicht jetzt. {when}{rehearsed}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>Valid. {when}{rehearsed}.</source>
            <translation>Gültig. {when}{rehearsed}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>Valid, {size} bytes: the listener answers 202, accepted</source>
            <translation>Gültig, {size} Bytes: Der Empfänger antwortet 202, angenommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>fault</source>
            <translation>Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/composer/words.py" />
            <source>faults</source>
            <translation>Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/desktop_notices.py" />
            <source>Unlock the window to read it.</source>
            <translation>Entsperren Sie das Fenster, um es zu lesen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/desktop_notices.py" />
            <source>A warning of Execution Engine</source>
            <translation>Eine Warnung von Execution Engine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/desktop_notices.py" />
            <source>Something is wrong in Execution Engine</source>
            <translation>In Execution Engine stimmt etwas nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/desktop_notices.py" />
            <source>Execution Engine needs you</source>
            <translation>Execution Engine braucht Sie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/desktop_notices.py" />
            <source>News of Execution Engine</source>
            <translation>Nachrichten von Execution Engine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/doors.py" />
            <source>There is no engine that could be described.</source>
            <translation>Es gibt keine Engine, die beschrieben werden könnte.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Book as closed outside…</source>
            <translation>Als außerhalb geschlossen verbuchen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Close the rest…</source>
            <translation>Rest schließen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Send the missed alert now…</source>
            <translation>Verpassten Alarm jetzt senden…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Compare again</source>
            <translation>Erneut abgleichen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Lift the hold</source>
            <translation>Halt aufheben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Got it</source>
            <translation>Verstanden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Booking…</source>
            <translation>Wird verbucht…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Closing…</source>
            <translation>Wird geschlossen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <location filename="../../src/execution_engine/ui/pages/away/sending.py" />
            <source>Sending…</source>
            <translation>Wird gesendet…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Reading the exchange…</source>
            <translation>Börse wird gelesen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Lifting the hold…</source>
            <translation>Halt wird aufgehoben…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Noting…</source>
            <translation>Wird vermerkt…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>You booked it as closed outside.</source>
            <translation>Sie haben es als außerhalb geschlossen verbucht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>You closed the rest.</source>
            <translation>Sie haben den Rest geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>You sent the missed alert.</source>
            <translation>Sie haben den verpassten Alarm gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>You had it compared again.</source>
            <translation>Sie haben es erneut abgleichen lassen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>You lifted the hold.</source>
            <translation>Sie haben den Halt aufgehoben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>You noted it.</source>
            <translation>Sie haben es vermerkt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Filled while nobody watched</source>
            <translation>Unbeobachtet ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Filled after its group had ended</source>
            <translation>Nach dem Ende der Gruppe ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>An order is gone from the exchange</source>
            <translation>Eine Order ist von der Börse verschwunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>An order of ours that the books lack</source>
            <translation>Eine eigene Order fehlt in den Büchern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Orders of somebody else</source>
            <translation>Fremde Orders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>The exchange holds less than the books</source>
            <translation>Die Börse hält weniger als die Bücher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>The exchange holds more than the books</source>
            <translation>Die Börse hält mehr als die Bücher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Closed by the exchange, by force</source>
            <translation>Von der Börse zwangsweise geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>A market is not traded</source>
            <translation>Ein Markt wird nicht gehandelt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>An internal error froze it</source>
            <translation>Von einem internen Fehler eingefroren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>An alert was missed</source>
            <translation>Ein Alarm wurde verpasst</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Close at market…</source>
            <translation>Zum Marktpreis schließen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Close the position…</source>
            <translation>Position schließen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Dismiss</source>
            <translation>Verwerfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>exit of the {side} on {timeframe}</source>
            <translation>Ausstieg aus {side} auf {timeframe}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>{side} entry on {timeframe}</source>
            <translation>Einstieg {side} auf {timeframe}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>reversal to {side} on {timeframe}</source>
            <translation>Umkehr zu {side} auf {timeframe}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>account {account}</source>
            <translation>Konto {account}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <source>{world} world</source>
            <translation>Umgebung {world}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/findings.py" />
            <source>Before {time}</source>
            <translation>Vor {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>KuCoin</source>
            <translation>KuCoin</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>{place}th</source>
            <translation>{place}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>never</source>
            <translation>nie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>no value</source>
            <translation>kein Wert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>{place}st</source>
            <translation>{place}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>{place}nd</source>
            <translation>{place}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>{place}rd</source>
            <translation>{place}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>{span} ago</source>
            <translation>vor {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source> percent</source>
            <translation> Prozent</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>plus </source>
            <translation>plus </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/format.py" />
            <source>minus </source>
            <translation>minus </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Pause</source>
            <translation>Pausieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Close everything…</source>
            <translation>Alles schließen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Lock the window</source>
            <translation>Fenster sperren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>Quit</source>
            <translation>Beenden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Light theme</source>
            <translation>Helles Design</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Find anything…</source>
            <translation>Suchen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Columns of the table…</source>
            <translation>Spalten der Tabelle…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Reset the layout of this page</source>
            <translation>Layout dieser Seite zurücksetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Reset every layout…</source>
            <translation>Alle Layouts zurücksetzen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Refresh</source>
            <translation>Aktualisieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Filter this page</source>
            <translation>Diese Seite filtern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Full screen</source>
            <translation>Vollbild</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/page.py" />
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Compose alert…</source>
            <translation>Alarm verfassen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Paper exchange…</source>
            <translation>Paper-Börse…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Copy webhook address</source>
            <translation>Webhook-Adresse kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>Open data folder</source>
            <translation>Datenordner öffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>First steps…</source>
            <translation>Erste Schritte…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <location filename="../../src/execution_engine/ui/frame/sheet.py" />
            <source>Keyboard shortcuts</source>
            <translation>Tastenkürzel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Look for a new version…</source>
            <translation>Nach neuer Version suchen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>About Execution Engine</source>
            <translation>Über Execution Engine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Pause, empty the queue and close every group at market</source>
            <translation>Pausieren, Warteschlange leeren und jede Gruppe zum Marktpreis schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Write the message and the URL for TradingView, or check a message</source>
            <translation>Nachricht und URL für TradingView verfassen oder eine Nachricht prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Show, hide and order the columns of the table the cursor is in</source>
            <translation>Spalten der aktiven Tabelle ein- und ausblenden und anordnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Columns, order and sizes of this page as they were made</source>
            <translation>Spalten, Reihenfolge und Größen dieser Seite wie ursprünglich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Window, pages, tables and splitters as they were made</source>
            <translation>Fenster, Seiten, Tabellen und Teiler wie ursprünglich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Open new groups again</source>
            <translation>Wieder neue Gruppen eröffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Store alerts, open nothing; exits and targets go on</source>
            <translation>Alarme speichern, nichts eröffnen; Ausstiege und Ziele laufen weiter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/frame/banners.py" />
            <source>Resume</source>
            <translation>Fortsetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Dark theme</source>
            <translation>Dunkles Design</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>Not possible now</source>
            <translation>Zurzeit nicht möglich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/acts.py" />
            <source>{tip} (Ctrl+Shift+P)</source>
            <translation>{tip} (Strg+Umschalt+P)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <location filename="../../src/execution_engine/ui/frame/tray.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>group</source>
            <translation>Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <location filename="../../src/execution_engine/ui/frame/tray.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>groups</source>
            <translation>Gruppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Close everything</source>
            <translation>Alles schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>signal</source>
            <translation>Signal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>signals</source>
            <translation>Signale</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>{groups} that holds</source>
            <translation>{groups} mit Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>{groups} that hold</source>
            <translation>{groups} mit Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Quit while {groups} is open?</source>
            <translation>Beenden, obwohl {groups} offen ist?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Quit while {groups} are open?</source>
            <translation>Beenden, obwohl {groups} offen sind?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>change</source>
            <translation>Änderung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>changes</source>
            <translation>Änderungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Unsaved settings</source>
            <translation>Ungespeicherte Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Reset every layout</source>
            <translation>Alle Layouts zurücksetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Put every page back as it was made?</source>
            <translation>Jede Seite auf den Ursprungszustand setzen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Pause and empty the queue?</source>
            <translation>Pausieren und Warteschlange leeren?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Pause and empty</source>
            <translation>Pausieren und leeren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>Entries</source>
            <translation>Einstiege</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>are paused; alerts go on being stored</source>
            <translation>werden pausiert; Alarme werden weiter gespeichert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <source>Queue</source>
            <translation>Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Orders</source>
            <translation>Orders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/page.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/tree.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <source>Positions</source>
            <translation>Positionen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>Afterwards</source>
            <translation>Danach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>what cannot be closed is listed</source>
            <translation>was sich nicht schließen lässt, wird gelistet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>What is typed there is not in force and would be forgotten.</source>
            <translation>Was dort eingegeben ist, gilt noch nicht und ginge verloren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Columns, their order and widths, sorting, splitters, and size and place of the window. Settings, filters and what is open stay as they are.</source>
            <translation>Spalten, ihre Reihenfolge und Breiten, Sortierung, Teiler sowie Größe und Lage des Fensters. Einstellungen, Filter und Geöffnetes bleiben, wie sie sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>is empty already</source>
            <translation>ist bereits leer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>no group holds anything</source>
            <translation>keine Gruppe hält Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>is closed at market</source>
            <translation>wird zum Marktpreis geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>are closed at market</source>
            <translation>werden zum Marktpreis geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>{groups} stays open without care: no targets, no exits, no risk engine until you start again.</source>
            <translation>{groups} bleibt offen und unbetreut: keine Ziele, keine Ausstiege, keine Risiko-Engine, bis Sie wieder starten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>{groups} stay open without care: no targets, no exits, no risk engine until you start again.</source>
            <translation>{groups} bleiben offen und unbetreut: keine Ziele, keine Ausstiege, keine Risiko-Engine, bis Sie wieder starten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Keep running in the tray</source>
            <translation>Im Infobereich weiterlaufen lassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Quit without saving {changes} of the settings?</source>
            <translation>Beenden, ohne {changes} der Einstellungen zu speichern?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Discard {changes}</source>
            <translation>{changes} verwerfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Close {count} at market?</source>
            <translation>{count} zum Marktpreis schließen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Close {count}</source>
            <translation>{count} schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>Orders already on the exchange stay there.</source>
            <translation>Orders, die schon an der Börse liegen, bleiben dort.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>is emptied, {queued}</source>
            <translation>wird geleert, {queued}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>{orders} is cancelled</source>
            <translation>{orders} wird storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>{orders} are cancelled</source>
            <translation>{orders} werden storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>open order</source>
            <translation>offene Order</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/asking.py" />
            <source>open orders</source>
            <translation>offene Orders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>The entry order</source>
            <translation>Die Einstiegsorder</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>The take-profit order</source>
            <translation>Die Take-Profit-Order</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>The closing order</source>
            <translation>Die Schließungsorder</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>The offset order</source>
            <translation>Die Ausgleichsorder</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>The emergency order</source>
            <translation>Die Notfallorder</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>These books are older than the last ones. Look at what was found, then let trading go on.</source>
            <translation>Diese Bücher sind älter als die letzten. Sehen Sie sich die Befunde an und lassen Sie dann den Handel weiterlaufen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>rests</source>
            <translation>liegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>rest</source>
            <translation>liegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/frame/telling.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Show</source>
            <translation>Anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>Alerts are stored, nothing is opened. Exits, targets and fills go on.</source>
            <translation>Alarme werden gespeichert, nichts wird eröffnet. Ausstiege, Ziele und Ausführungen laufen weiter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <source>order</source>
            <translation>Order</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>orders</source>
            <translation>Orders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{what}{sent} got no clear answer. Nothing is sent again until it is settled.</source>
            <translation>{what}{sent}: keine eindeutige Antwort. Bis das geklärt ist, wird nichts erneut gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{what} still {rests}{why}. It is tried again at {time}.</source>
            <translation>{what} {rests} noch an der Börse{why}. Neuer Versuch um {time}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>No order is sent</source>
            <translation>Keine Order wird gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/frame/banners.py" />
            <source>Trade again…</source>
            <translation>Wieder handeln…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/frame/away.py" />
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>decision</source>
            <translation>Entscheidung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/frame/away.py" />
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>decisions</source>
            <translation>Entscheidungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source> waits</source>
            <translation> wartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source> wait</source>
            <translation> warten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/frame/away.py" />
            <location filename="../../src/execution_engine/ui/frame/telling.py" />
            <source>Review</source>
            <translation>Prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>The {held} world is on hold</source>
            <translation>Die Umgebung {held} ist angehalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>is on hold</source>
            <translation>ist angehalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>cannot be used</source>
            <translation>ist nicht nutzbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>No new positions are opened on it.</source>
            <translation>Es werden keine neuen Positionen darauf eröffnet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source> of {time}</source>
            <translation> von {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{group}: outcome is being looked up</source>
            <translation>{group}: Ausgang wird ermittelt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{group}: a cancel was not carried out</source>
            <translation>{group}: eine Stornierung wurde nicht ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>was</source>
            <translation>wurde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>were</source>
            <translation>wurden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>It is not on the exchange.</source>
            <translation>Sie ist nicht an der Börse.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>The exchange gave no reason.</source>
            <translation>Die Börse nannte keinen Grund.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{names}: up to {span}. Results shown with them may be wrong.</source>
            <translation>{names}: bis zu {span}. Damit gezeigte Ergebnisse können falsch sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <location filename="../../src/execution_engine/domain/audit.py" />
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Paused</source>
            <translation>Pausiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>The exchange refused the close. It is tried again at {time}.</source>
            <translation>Die Börse hat das Schließen abgelehnt. Neuer Versuch um {time}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{count} of open positions is old</source>
            <translation>{count} offener Positionen ist veraltet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{count} of open positions are old</source>
            <translation>{count} offener Positionen sind veraltet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>price</source>
            <translation>Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>prices</source>
            <translation>Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>An offset is under way</source>
            <translation>Ein Ausgleich läuft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{group}: {count} {was} not placed</source>
            <translation>{group}: {count} {was} nicht platziert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{group}: {count} {was} rejected</source>
            <translation>{group}: {count} {was} abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>leg</source>
            <translation>Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>legs</source>
            <translation>Stufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>Account {account} {word}</source>
            <translation>Konto {account} {word}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{group} is on hold</source>
            <translation>{group} ist angehalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>{group} is not closed yet</source>
            <translation>{group} ist noch nicht geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/attention.py" />
            <source>Offset plan is ready</source>
            <translation>Ausgleichsplan ist bereit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/away.py" />
            <source>{decisions} waits: {first}</source>
            <translation>{decisions} wartet: {first}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/away.py" />
            <source>{decisions} wait: {first}</source>
            <translation>{decisions} warten: {first}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/banners.py" />
            <source>Read only: nothing can be changed by hand, the engine goes on</source>
            <translation>Nur Lesen: Von Hand lässt sich nichts ändern, die Engine läuft weiter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/banners.py" />
            <source>Paused: alerts are stored, nothing is opened</source>
            <translation>Pausiert: Alarme werden gespeichert, nichts wird eröffnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/banners.py" />
            <source>Error: {why}</source>
            <translation>Fehler: {why}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/banners.py" />
            <source>the engine does not run</source>
            <translation>die Engine läuft nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/banners.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <location filename="../../src/execution_engine/domain/facts.py" />
            <source>Security</source>
            <translation>Sicherheit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/banners.py" />
            <source>On hold: {why}</source>
            <translation>Angehalten: {why}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/message.py" />
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Copy</source>
            <translation>Kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>Restore the backup</source>
            <translation>Sicherung wiederherstellen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>Execution Engine could not start</source>
            <translation>Execution Engine konnte nicht starten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Copied</source>
            <translation>Kopiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>Put that right and start again.</source>
            <translation>Beheben Sie das und starten Sie erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Why</source>
            <translation>Warum</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>What to do</source>
            <translation>Was zu tun ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <location filename="../../src/execution_engine/ui/frame/helping.py" />
            <source>Data folder</source>
            <translation>Datenordner</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>Execution Engine {version} could not start.</source>
            <translation>Execution Engine {version} konnte nicht starten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>Data: {folder}</source>
            <translation>Daten: {folder}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/fault.py" />
            <source>Put {backup} in place of the database</source>
            <translation>{backup} anstelle der Datenbank einsetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <location filename="../../src/execution_engine/ui/frame/sheet.py" />
            <source> or </source>
            <translation> oder </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <source>row</source>
            <translation>Zeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <source>rows</source>
            <translation>Zeilen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/review.py" />
            <source>Setting</source>
            <translation>Einstellung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <source>Page</source>
            <translation>Seite</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <source>Row</source>
            <translation>Zeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <source>Queued signal</source>
            <translation>Wartendes Signal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <source>Settings</source>
            <translation>Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <source>settings tab</source>
            <translation>Reiter der Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Position</source>
            <translation>Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/finds.py" />
            <source>waits {side} {account} {exchange}</source>
            <translation>wartet {side} {account} {exchange}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/header.py" />
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <source>Engine</source>
            <translation>Engine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/header.py" />
            <source>stale</source>
            <translation>veraltet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/header.py" />
            <source>Total PnL</source>
            <translation>PnL gesamt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/header.py" />
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>account</source>
            <translation>Konto</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/header.py" />
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>accounts</source>
            <translation>Konten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/header.py" />
            <source>Total = realized {realized} + unrealized {unrealized} = {total} USD
% of capital.total_usd, {capital} USD</source>
            <translation>Gesamt = realisiert {realized} + unrealisiert {unrealized} = {total} USD
% von capital.total_usd, {capital} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/helping.py" />
            <source>About</source>
            <translation>Über</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/helping.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Version</source>
            <translation>Version</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/lock.py" />
            <source>Execution Engine – locked</source>
            <translation>Execution Engine – gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/lock.py" />
            <source>The engine goes on. Your master password brings the window back.</source>
            <translation>Die Engine läuft weiter. Ihr Master-Passwort bringt das Fenster zurück.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/lock.py" />
            <source>The engine goes on. The system's keyring brings the window back, so this lock only hides what is on the screen from whoever passes by. A master password (Settings, Security) makes it more than that.</source>
            <translation>Die Engine läuft weiter. Der Schlüsselbund des Systems bringt das Fenster zurück; diese Sperre verbirgt also nur den Bildschirm vor Vorbeigehenden. Ein Master-Passwort (Einstellungen, Sicherheit) macht mehr daraus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/lock.py" />
            <source>The engine goes on. There is no master password, so this lock only hides what is on the screen from whoever passes by. One can be chosen in Settings, Security.</source>
            <translation>Die Engine läuft weiter. Es gibt kein Master-Passwort; diese Sperre verbirgt also nur den Bildschirm vor Vorbeigehenden. Unter Einstellungen, Sicherheit können Sie eines festlegen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/lock.py" />
            <source>The window is locked</source>
            <translation>Das Fenster ist gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/lock.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Master password</source>
            <translation>Master-Passwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/lock.py" />
            <source>Unlock</source>
            <translation>Entsperren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/lock.py" />
            <source>Unlock the window to quit.</source>
            <translation>Entsperren Sie das Fenster, um zu beenden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Dark</source>
            <translation>Dunkel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Light</source>
            <translation>Hell</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <source>Like the system</source>
            <translation>Wie das System</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Theme</source>
            <translation>Design</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <source>Trade</source>
            <translation>Handel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <source>Tools</source>
            <translation>Werkzeuge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/menus.py" />
            <source>Help</source>
            <translation>Hilfe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>What is new</source>
            <translation>Was ist neu</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>New versions could not be asked about</source>
            <translation>Neue Versionen konnten nicht abgefragt werden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>New version</source>
            <translation>Neue Version</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>position group</source>
            <translation>Positionsgruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>position groups</source>
            <translation>Positionsgruppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Until the new version runs, nothing is watched or closed.</source>
            <translation>Bis die neue Version läuft, wird nichts überwacht oder geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>There is no file for this computer; its page says more.</source>
            <translation>Für diesen Computer gibt es keine Datei; die Seite der Version sagt mehr.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Open its page</source>
            <translation>Seite öffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Download</source>
            <translation>Herunterladen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Not now</source>
            <translation>Nicht jetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>You have the choice; nothing is installed by itself.{waits}</source>
            <translation>Sie haben die Wahl; nichts installiert sich von selbst.{waits}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>There is no newer version</source>
            <translation>Es gibt keine neuere Version</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Published on {published}; version {version} runs here. {file}</source>
            <translation>Veröffentlicht am {published}; hier läuft Version {version}. {file}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>The file is {file}, {size} MB.</source>
            <translation>Die Datei ist {file}, {size} MB.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source> {count} is open: better close them first.</source>
            <translation> {count} ist offen: besser vorher schließen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source> {count} are open: better close them first.</source>
            <translation> {count} sind offen: besser vorher schließen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Version {version} is available</source>
            <translation>Version {version} ist verfügbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Update with {groups} open</source>
            <translation>Trotzdem aktualisieren ({groups} offen)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Version {version} is the newest.</source>
            <translation>Version {version} ist die neueste.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/new_version.py" />
            <source>Execution Engine {version}</source>
            <translation>Execution Engine {version}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/palette.py" />
            <source>↑ ↓ to choose · Enter does it · Esc closes</source>
            <translation>↑ ↓ wählen · Enter ausführen · Esc schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/palette.py" />
            <source>Find anything</source>
            <translation>Suchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/palette.py" />
            <source>An act, a page, a position, a setting …</source>
            <translation>Aktion, Seite, Position, Einstellung …</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/palette.py" />
            <source>Found</source>
            <translation>Gefunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/palette.py" />
            <source>not now: {why_not}</source>
            <translation>nicht jetzt: {why_not}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/palette.py" />
            <source>Nothing is called “{text}”.</source>
            <translation>Nichts heißt „{text}“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/palette.py" />
            <source>Not now: {why_not}</source>
            <translation>Nicht jetzt: {why_not}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>Trade again</source>
            <translation>Wieder handeln</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>Let trading go on?</source>
            <translation>Handel weiterlaufen lassen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>every account was compared</source>
            <translation>jedes Konto wurde abgeglichen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>none waits for you</source>
            <translation>keine wartet auf Sie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>Comparison</source>
            <translation>Abgleich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Differences</source>
            <translation>Abweichungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>alerts open new groups again</source>
            <translation>Alarme eröffnen wieder neue Gruppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>not finished: {unread}</source>
            <translation>nicht fertig: {unread}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>{count} waits under While you were away</source>
            <translation>{count} wartet unter „Während Ihrer Abwesenheit“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>{count} wait under While you were away</source>
            <translation>{count} warten unter „Während Ihrer Abwesenheit“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/restored.py" />
            <source>{count}: targets, exits and open legs go on</source>
            <translation>{count}: Ziele, Ausstiege und offene Stufen laufen weiter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/sheet.py" />
            <source>In tables</source>
            <translation>In Tabellen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/sheet.py" />
            <location filename="../../src/execution_engine/ui/frame/sidebar.py" />
            <source>Pages</source>
            <translation>Seiten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/sheet.py" />
            <source>{palette} finds every act by a few letters, with or without a shortcut.</source>
            <translation>{palette} findet jede Aktion anhand weniger Buchstaben, mit oder ohne Tastenkürzel.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/sheet.py" />
            <source>On the page {title}</source>
            <translation>Auf der Seite {title}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/sidebar.py" />
            <source>needs a look</source>
            <translation>bitte ansehen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/stage.py" />
            <source>The engine and the other pages go on. The details are in the log.</source>
            <translation>Die Engine und die anderen Seiten laufen weiter. Einzelheiten stehen im Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/stage.py" />
            <source>Try again</source>
            <translation>Erneut versuchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/stage.py" />
            <source>The page {title} failed</source>
            <translation>Die Seite {title} ist ausgefallen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>Books</source>
            <translation>Bücher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Prices</source>
            <translation>Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>Open the paper exchange</source>
            <translation>Paper-Börse öffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>on hold</source>
            <translation>angehalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>is read</source>
            <translation>wird gelesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Status</source>
            <translation>Status</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>agree</source>
            <translation>stimmen überein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>{time} local · {time_2} UTC</source>
            <translation>{time} lokal · {time_2} UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>Click to see what was found</source>
            <translation>Klicken Sie, um die Befunde zu sehen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>none in use</source>
            <translation>keine in Gebrauch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>set by hand</source>
            <translation>von Hand gesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>{count} not ready</source>
            <translation>{count} nicht bereit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>{time} local</source>
            <translation>{time} lokal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source> · last {span}</source>
            <translation> · zuletzt {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>{text} old</source>
            <translation>{text} alt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>{count} waits</source>
            <translation>{count} wartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/status_line.py" />
            <source>{count} wait</source>
            <translation>{count} warten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/telling.py" />
            <source>An order was rejected</source>
            <translation>Eine Order wurde abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/telling.py" />
            <source>An order's outcome is being looked up</source>
            <translation>Der Ausgang einer Order wird ermittelt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/telling.py" />
            <source>A cancel was not carried out</source>
            <translation>Eine Stornierung wurde nicht ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/telling.py" />
            <source>An account cannot be read</source>
            <translation>Ein Konto kann nicht gelesen werden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/telling.py" />
            <source>Everything is being closed</source>
            <translation>Alles wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/telling.py" />
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Show signal</source>
            <translation>Signal anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/tray.py" />
            <source>The engine goes on here. Quit in the menu of this icon ends it.</source>
            <translation>Die Engine läuft hier weiter. „Beenden“ im Menü dieses Symbols beendet sie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/tray.py" />
            <source>Show the window</source>
            <translation>Fenster anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/tray.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>nothing is open</source>
            <translation>nichts ist offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/tray.py" />
            <source>{count} open</source>
            <translation>{count} offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/frame/tray.py" />
            <source>Execution Engine
{text}</source>
            <translation>Execution Engine
{text}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/holdings.py" />
            <source>account {account} is on hold{more}</source>
            <translation>Konto {account} ist angehalten{more}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/holdings.py" />
            <source>the {world} world is on hold: {reason}</source>
            <translation>die Umgebung {world} ist angehalten: {reason}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Sending</source>
            <translation>Sendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Open</source>
            <translation>Offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Part filled</source>
            <translation>Teilweise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Filled</source>
            <translation>Ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Cancelled</source>
            <translation>Storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Rejected</source>
            <translation>Abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Failed</source>
            <translation>Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Checking</source>
            <translation>Unklar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Waiting</source>
            <translation>Wartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/choosing.py" />
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Live</source>
            <translation>Live</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Active</source>
            <translation>Aktiv</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Closing</source>
            <translation>Schließt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Closed</source>
            <translation>Geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <source>On hold</source>
            <translation>Halt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Opened</source>
            <translation>Eröffnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Pyramided</source>
            <translation>Pyramidiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/domain/audit.py" />
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>Promoted</source>
            <translation>Nachgerückt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Reversed</source>
            <translation>Umgekehrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Exited</source>
            <translation>Ausgestiegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>No position</source>
            <translation>Keine Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Dequeued</source>
            <translation>Entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Replacement</source>
            <translation>Ersatz</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Queued</source>
            <translation>Eingereiht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Replaced</source>
            <translation>Ersetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Duplicate</source>
            <translation>Duplikat</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Expired</source>
            <translation>Verfallen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Exiting</source>
            <translation>Steigt aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Working</source>
            <translation>In Arbeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Ready</source>
            <translation>Bereit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <source>Running</source>
            <translation>Läuft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Complete</source>
            <translation>Vollständig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Incomplete</source>
            <translation>Lückenhaft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Skipped</source>
            <translation>Übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Reconciling</source>
            <translation>Gleicht ab</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>Read only</source>
            <translation>Nur Lesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Starting</source>
            <translation>Startet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Hold</source>
            <translation>Halt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Stopped: error</source>
            <translation>Gestoppt: Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Target hit</source>
            <translation>Am Ziel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <source>Sold</source>
            <translation>Verkauft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/icons.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Offset</source>
            <translation>Ausgleich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>The theme was not changed</source>
            <translation>Das Design wurde nicht geändert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>it is being looked for</source>
            <translation>die Suche läuft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>nothing is open and nothing waits</source>
            <translation>nichts ist offen und nichts wartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>It contains your secret.</source>
            <translation>Sie enthält Ihr Geheimnis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>{title} – Execution Engine</source>
            <translation>{title} – Execution Engine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>The engine was not resumed</source>
            <translation>Die Engine wurde nicht fortgesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>The engine was not paused</source>
            <translation>Die Engine wurde nicht pausiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>There is no webhook to copy</source>
            <translation>Es gibt keinen Webhook zum Kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>No webhook is enabled.</source>
            <translation>Kein Webhook ist aktiv.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/main_window.py" />
            <source>Copied the address of “{name}”</source>
            <translation>Adresse von „{name}“ kopiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>It cannot be undone.</source>
            <translation>Nicht rückgängig zu machen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>at the market price of now</source>
            <translation>zum aktuellen Marktpreis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>Book as closed outside</source>
            <translation>Als außerhalb geschlossen verbuchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>Book as closed</source>
            <translation>Als geschlossen verbuchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>the rest of </source>
            <translation>den Rest von </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>Close at market</source>
            <translation>Zum Marktpreis schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>those that are still open</source>
            <translation>diejenigen, die noch offen sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>Close the rest</source>
            <translation>Rest schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>the groups add up to {ours}, the exchange holds {theirs}</source>
            <translation>die Gruppen ergeben {ours}, die Börse hält {theirs}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>at {price}, as it was traded</source>
            <translation>zu {price}, wie gehandelt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>Book {amount} as closed outside?</source>
            <translation>{amount} als außerhalb geschlossen verbuchen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Missing</source>
            <translation>Fehlt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Price</source>
            <translation>Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/window.py" />
            <source>Exchange</source>
            <translation>Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>nothing is sent; the loss or gain is booked as realized</source>
            <translation>nichts wird gesendet; der Verlust oder Gewinn wird als realisiert verbucht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>the hold ends, and what is still held is looked after again</source>
            <translation>der Halt endet, und was noch gehalten wird, wird wieder betreut</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>Close {rest}{finding} at market?</source>
            <translation>Möchten Sie {rest}{finding} zum Marktpreis schließen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>what is open for them is cancelled</source>
            <translation>was dafür offen ist, wird storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>the positions are closed, their slots are free</source>
            <translation>die Positionen sind geschlossen, ihre Plätze frei</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>{named} and {count}</source>
            <translation>{named} und {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>it</source>
            <translation>diese Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/away/list.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>more</source>
            <translation>weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <source>{groups}, the oldest first</source>
            <translation>{groups}, die älteste zuerst</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>at most</source>
            <translation>höchstens</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <source>It ended by itself.</source>
            <translation>Es endete von selbst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <source>Settled</source>
            <translation>Erledigt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <source>What</source>
            <translation>Was</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Pair</source>
            <translation>Paar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <source>How it ended</source>
            <translation>Wie es ausging</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>What was found</source>
            <translation>Was gefunden wurde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <source>Nothing was settled yet.</source>
            <translation>Noch wurde nichts erledigt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <source>Earlier findings</source>
            <translation>Frühere Befunde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/earlier.py" />
            <source>Found {time}
{time_2}</source>
            <translation>Gefunden {time}
{time_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/list.py" />
            <source>{count}; they come up as these are settled.</source>
            <translation>{count}; sichtbar, sobald diese erledigt sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <source>While you were away</source>
            <translation>Während Ihrer Abwesenheit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Got it, all of them</source>
            <translation>Alles verstanden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Needs a decision</source>
            <translation>Entscheidung nötig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Nothing needs a decision.</source>
            <translation>Nichts erfordert eine Entscheidung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>What was done</source>
            <translation>Was getan wurde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Nothing had to be done.</source>
            <translation>Es war nichts zu tun.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Nothing else was found.</source>
            <translation>Sonst wurde nichts gefunden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Open or earlier</source>
            <translation>Offen oder früher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>nothing waits</source>
            <translation>nichts wartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>The missed alert was sent</source>
            <translation>Der verpasste Alarm wurde gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>Earlier</source>
            <translation>Früher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/page.py" />
            <source>{rest} to read</source>
            <translation>{rest} zu lesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <location filename="../../src/execution_engine/ui/pages/away/sending.py" />
            <source>Expected</source>
            <translation>Erwartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>The strategy was</source>
            <translation>Die Strategie war</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>You were</source>
            <translation>Sie waren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>It was due</source>
            <translation>Fällig war er</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>The groups hold</source>
            <translation>Die Gruppen halten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>The exchange holds</source>
            <translation>Die Börse hält</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>Concerns {concerns}</source>
            <translation>Betrifft {concerns}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>More</source>
            <translation>Mehr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>Traded at</source>
            <translation>Gehandelt zu</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/row.py" />
            <source>Show alert {id}</source>
            <translation>Alarm {id} anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/sending.py" />
            <source>It goes in by the same door as every alert, as one that came now: it is classified, the limits bind it, and Signals tells its story.</source>
            <translation>Er kommt auf demselben Weg herein wie jeder Alarm, als wäre er jetzt eingetroffen: Er wird eingeordnet, die Limits gelten für ihn, und unter Signale steht sein Ablauf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/sending.py" />
            <source>Send the missed alert</source>
            <translation>Verpassten Alarm senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/sending.py" />
            <source>Send it now</source>
            <translation>Jetzt senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/away/sending.py" />
            <source>It would come to this now: {what}.</source>
            <translation>Er würde jetzt dies bewirken: {what}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/choosing.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Paper</source>
            <translation>Paper</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/choosing.py" />
            <source>Testnet and demo</source>
            <translation>Testnet und Demo</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/choosing.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>All accounts</source>
            <translation>Alle Konten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>The curve begins with the first closed trade.</source>
            <translation>Die Kurve beginnt mit dem ersten geschlossenen Trade.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>All</source>
            <translation>Alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>Equity</source>
            <translation>Equity</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>realized, USD</source>
            <translation>realisiert, USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>Time span</source>
            <translation>Zeitspanne</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>realized, USD, since {time}</source>
            <translation>realisiert, USD, seit {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>waits to be decided</source>
            <translation>wartet auf Entscheidung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>working</source>
            <translation>in Arbeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>realized</source>
            <translation>realisiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>slot</source>
            <translation>Platz</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>slots</source>
            <translation>Plätze</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>Full: new keys wait in the queue</source>
            <translation>Voll: neue Gruppen warten in der Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>signal waits</source>
            <translation>Signal wartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>signals wait</source>
            <translation>Signale warten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>does nothing</source>
            <translation>tut nichts</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Pool</source>
            <translation>Pool</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>Risk engine</source>
            <translation>Risiko-Engine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>Last webhook</source>
            <translation>Letzter Webhook</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Today</source>
            <translation>Heute</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>It closes the worst loser, paid for by the best winners.</source>
            <translation>Sie schließt den größten Verlierer, bezahlt von den besten Gewinnern.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>no alert yet</source>
            <translation>noch kein Alarm</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>realized · {count}</source>
            <translation>realisiert · {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>Realized since midnight UTC: {today} USD</source>
            <translation>Realisiert seit Mitternacht UTC: {today} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>{free} free: new keys open at once</source>
            <translation>{free} frei: Neue Gruppen eröffnen sofort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>{wait} · longest {longest}</source>
            <translation>{wait} · längstens {longest}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>next in {span}</source>
            <translation>nächste in {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>step {at} of {count}</source>
            <translation>Schritt {at} von {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/distribution.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>trade</source>
            <translation>Trade</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/distribution.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>trades</source>
            <translation>Trades</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>All is well.</source>
            <translation>Alles in Ordnung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>Needs attention</source>
            <translation>Zu beachten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>{count} need attention: {title} …</source>
            <translation>{count} zu beachten: {title} …</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>thing</source>
            <translation>Punkt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>things</source>
            <translation>Punkte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <source>Dashboard</source>
            <translation>Übersicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Results</source>
            <translation>Ergebnisse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>all accounts</source>
            <translation>alle Konten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>Open positions</source>
            <translation>Offene Positionen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>Open Positions</source>
            <translation>Offene Positionen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>No positions. The next alert opens the first one.</source>
            <translation>Keine Positionen. Der nächste Alarm eröffnet die erste.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>{groups} · invested {amount} USD</source>
            <translation>{groups} · investiert {amount} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/domain/instrument.py" />
            <source>long</source>
            <translation>long</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/domain/instrument.py" />
            <source>short</source>
            <translation>short</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>no fill yet</source>
            <translation>nichts ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>There is no price yet.</source>
            <translation>Es gibt noch keinen Preis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Nothing has filled yet.</source>
            <translation>Noch wurde nichts ausgeführt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Unrealized = ({inner}) × {quantity} = {unrealized} {quote}</source>
            <translation>Unrealisiert = ({inner}) × {quantity} = {unrealized} {quote}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{symbol} {timeframe} {side}, unrealized {result} USD, {held}</source>
            <translation>{symbol} {timeframe} {side}, unrealisiert {result} USD, {held}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Pyramids</source>
            <translation>Pyramiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Entries that the group has, of those it may have</source>
            <translation>Einstiege der Gruppe, von den höchstens erlaubten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Legs</source>
            <translation>Stufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Legs that filled, of all</source>
            <translation>Ausgeführte Stufen, von allen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Last 24 h</source>
            <translation>Letzte 24 h</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Unrealized % of what is held now, at the prices seen since the start, at most 24 h</source>
            <translation>Unrealisiert in % des aktuellen Bestands, zu den seit dem Start gesehenen Preisen, höchstens 24 h</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Invested</source>
            <translation>Investiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Notional at entry of what is held</source>
            <translation>Nominalwert des Bestands beim Einstieg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Unrealized</source>
            <translation>Unrealisiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>(price − average entry) × open quantity, mirrored for a short</source>
            <translation>(Preis − Ø Einstieg) × offene Menge, bei Short gespiegelt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Unrealized in per cent of what is invested</source>
            <translation>Unrealisiert in Prozent des Investierten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>no history yet</source>
            <translation>noch kein Verlauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{words}
Price is {price_age} old</source>
            <translation>{words}
Preis ist {price_age} alt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{value}{gap}% of {invested} invested</source>
            <translation>{value}{gap}% von {invested} investiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>from {points} to {points_2}</source>
            <translation>von {points} bis {points_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{done} of {whole}</source>
            <translation>{done} von {whole}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{exchange}:{symbol} on account {account}</source>
            <translation>{exchange}:{symbol} auf Konto {account}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Realized</source>
            <translation>Realisiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Everything that was realized in this world, fees included</source>
            <translation>Alles, was in dieser Umgebung realisiert wurde, einschließlich Gebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Sum of (price − average entry) × open quantity over open groups</source>
            <translation>Summe von (Preis − Ø Einstieg) × offene Menge über alle offenen Gruppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Total</source>
            <translation>Gesamt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Realized + unrealized</source>
            <translation>Realisiert + unrealisiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Win rate</source>
            <translation>Trefferquote</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Closed groups with a profit / closed groups that had filled</source>
            <translation>Geschlossene Gruppen mit Gewinn / geschlossene Gruppen mit Ausführung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Average win</source>
            <translation>Ø Gewinn</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Sum of profits / number of closed groups with a profit</source>
            <translation>Summe der Gewinne / Anzahl geschlossener Gruppen mit Gewinn</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Average loss</source>
            <translation>Ø Verlust</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Sum of losses / number of closed groups with a loss</source>
            <translation>Summe der Verluste / Anzahl geschlossener Gruppen mit Verlust</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Profit factor</source>
            <translation>Profitfaktor</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Sum of profits / sum of losses</source>
            <translation>Summe der Gewinne / Summe der Verluste</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Trades</source>
            <translation>Trades</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Closed groups that had filled</source>
            <translation>Geschlossene Gruppen mit Ausführung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Trades today</source>
            <translation>Trades heute</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Closed since midnight UTC</source>
            <translation>Geschlossen seit Mitternacht UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Volume today</source>
            <translation>Volumen heute</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Price × quantity of all fills since midnight UTC</source>
            <translation>Preis × Menge aller Ausführungen seit Mitternacht UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Any time</source>
            <translation>Jederzeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Last hour</source>
            <translation>Letzte Stunde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last 7 days</source>
            <translation>Letzte 7 Tage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>From … to …</source>
            <translation>Von … bis …</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Logs</source>
            <translation>Protokoll</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Search text</source>
            <translation>Text suchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Follow</source>
            <translation>Mitlaufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Keep the newest line in sight</source>
            <translation>Die neueste Zeile im Blick behalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Export…</source>
            <translation>Exportieren…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <source>All categories</source>
            <translation>Alle Kategorien</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>From</source>
            <translation>Von</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>To</source>
            <translation>Bis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Least level</source>
            <translation>Mindestlevel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <source>Category</source>
            <translation>Kategorie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Time</source>
            <translation>Zeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <source>{name}: your local time, year-month-day and, if you like, hour:minute; empty leaves it open</source>
            <translation>{name}: Ihre Ortszeit, Jahr-Monat-Tag und, wenn Sie möchten, Stunde:Minute; leer bleibt es offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Level ≥ {level}</source>
            <translation>Level ≥ {level}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>alert</source>
            <translation>Alarm</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <source>Level</source>
            <translation>Level</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Group</source>
            <translation>Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <source>Alert, order</source>
            <translation>Alarm, Order</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/lines.py" />
            <source>group {group_id}</source>
            <translation>Gruppe {group_id}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Line</source>
            <translation>Zeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>The whole line</source>
            <translation>Die ganze Zeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Nothing was logged yet.</source>
            <translation>Noch wurde nichts protokolliert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Export the log</source>
            <translation>Protokoll exportieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>CSV (*.csv);;JSON (*.json)</source>
            <translation>CSV (*.csv);;JSON (*.json)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Log</source>
            <translation>Protokoll</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Show group</source>
            <translation>Gruppe anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Show alert</source>
            <translation>Alarm anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Go to newest</source>
            <translation>Zur neuesten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Select a line to read it whole.</source>
            <translation>Wählen Sie eine Zeile, um sie ganz zu lesen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>The log could not be read: {message}</source>
            <translation>Das Protokoll konnte nicht gelesen werden: {message}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>line</source>
            <translation>Zeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>lines</source>
            <translation>Zeilen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Nothing matches.</source>
            <translation>Keine Treffer.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>{count} is hidden by the filter</source>
            <translation>{count} ist durch den Filter verborgen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>{count} are hidden by the filter</source>
            <translation>{count} sind durch den Filter verborgen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Nothing matches. {hidden}.</source>
            <translation>Keine Treffer. {hidden}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>Following is off{lines}</source>
            <translation>Mitlaufen ist aus{lines}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/page.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Clear filter</source>
            <translation>Filter aufheben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>new line</source>
            <translation>neue Zeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>new lines</source>
            <translation>neue Zeilen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <source>The log was not exported</source>
            <translation>Das Protokoll wurde nicht exportiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Exported {count}</source>
            <translation>{count} exportiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>It is being found out whether live prices can be had.</source>
            <translation>Es wird ermittelt, ob Live-Preise verfügbar sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Prices of the real exchanges; lost ones get old.</source>
            <translation>Preise der echten Börsen; ausbleibende veralten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Prices move by themselves, from a seed; no exchange is contacted.</source>
            <translation>Preise bewegen sich von selbst, aus einem Startwert; keine Börse wird kontaktiert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Prices stand still until you, or POST /paper/price, move them.</source>
            <translation>Preise stehen still, bis Sie oder POST /paper/price sie bewegen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>There are no prices: choose one of these.</source>
            <translation>Es gibt keine Preise: Wählen Sie eines davon.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Paper exchange</source>
            <translation>Paper-Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Auto</source>
            <translation>Auto</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Synthetic</source>
            <translation>Synthetisch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Manual</source>
            <translation>Manuell</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>by hand</source>
            <translation>von Hand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Set price</source>
            <translation>Preis setzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Prices come from</source>
            <translation>Preise stammen aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Move a price</source>
            <translation>Preis bewegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>No prices yet. Choose a symbol and set its price.</source>
            <translation>Noch keine Preise. Wählen Sie ein Symbol und setzen Sie seinen Preis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Balances</source>
            <translation>Guthaben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>free, after open orders</source>
            <translation>frei, nach offenen Orders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>No paper account was read yet.</source>
            <translation>Noch wurde kein Paper-Konto gelesen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source> Chosen automatically.</source>
            <translation> Automatisch gewählt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Market</source>
            <translation>Markt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Age</source>
            <translation>Alter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Currency</source>
            <translation>Währung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Free</source>
            <translation>Frei</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Source of prices</source>
            <translation>Quelle der Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Known prices</source>
            <translation>Bekannte Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>source of paper prices</source>
            <translation>Quelle der Paper-Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Give a symbol and a price above zero.</source>
            <translation>Geben Sie ein Symbol und einen Preis über null an.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Prices come from the {name} feed.</source>
            <translation>Die Preise kommen vom Feed {name}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source>Move the price by {nudge} %</source>
            <translation>Preis um {nudge} % bewegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/paper.py" />
            <source> This run was started with --paper-feed {name}; the setting says {asked}.</source>
            <translation> Dieser Lauf wurde mit --paper-feed {name} gestartet; die Einstellung lautet {asked}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Test network</source>
            <translation>Testnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>All time</source>
            <translation>Gesamte Zeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last 30 days</source>
            <translation>Letzte 30 Tage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last 90 days</source>
            <translation>Letzte 90 Tage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last year</source>
            <translation>Letztes Jahr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>This month</source>
            <translation>Dieser Monat</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last month</source>
            <translation>Letzter Monat</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>This year</source>
            <translation>Dieses Jahr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <source>Performance</source>
            <translation>Auswertung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>All pairs</source>
            <translation>Alle Paare</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>First day</source>
            <translation>Erster Tag</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last day</source>
            <translation>Letzter Tag</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/bar.py" />
            <source>World</source>
            <translation>Umgebung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/bar.py" />
            <source>{name} (UTC) as year-month-day; empty leaves it open</source>
            <translation>{name} (UTC) als Jahr-Monat-Tag; leer bleibt es offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Mon</source>
            <translation>Mo</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Tue</source>
            <translation>Di</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Wed</source>
            <translation>Mi</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Thu</source>
            <translation>Do</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Fri</source>
            <translation>Fr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Sat</source>
            <translation>Sa</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Sun</source>
            <translation>So</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>The month before</source>
            <translation>Der Monat davor</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>The month after</source>
            <translation>Der Monat danach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>{amount} USD · {count} · days of UTC</source>
            <translation>{amount} USD · {count} · Tage in UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Days of {months} {year}</source>
            <translation>Tage im {months} {year}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>{isoformat}: nothing was realized</source>
            <translation>{isoformat}: nichts realisiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/distribution.py" />
            <source>Distribution of results</source>
            <translation>Verteilung der Ergebnisse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/distribution.py" />
            <source>{count} from {ends} USD</source>
            <translation>{count} von {ends} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/distribution.py" />
            <source> to </source>
            <translation> bis </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Per pair</source>
            <translation>Je Paar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Per timeframe</source>
            <translation>Je Zeitrahmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Per month</source>
            <translation>Je Monat</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Calendar</source>
            <translation>Kalender</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>Distribution</source>
            <translation>Verteilung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>start capital + realized, USD</source>
            <translation>Startkapital + realisiert, USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>No closed trade in this range.</source>
            <translation>Kein geschlossener Trade in dieser Zeit.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>No trade was closed yet.</source>
            <translation>Noch wurde kein Trade geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Export trades</source>
            <translation>Trades exportieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>What is listed</source>
            <translation>Was aufgelistet wird</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>the newest {count} of {many} trades; the export has all</source>
            <translation>die neuesten {count} von {many} Trades; der Export enthält alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>The curve begins with the first result.</source>
            <translation>Die Kurve beginnt mit dem ersten Ergebnis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>The trades could not be read: {message}</source>
            <translation>Die Trades konnten nicht gelesen werden: {message}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/page.py" />
            <source>Show all</source>
            <translation>Alle anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/page.py" />
            <source>The trades were not exported</source>
            <translation>Die Trades wurden nicht exportiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Net, USD</source>
            <translation>Netto, USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Expectancy, USD</source>
            <translation>Erwartungswert, USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Max drawdown, USD</source>
            <translation>Max. Drawdown, USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sharpe</source>
            <translation>Sharpe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Average holding</source>
            <translation>Ø Haltedauer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Mean of the daily changes of the equity / their standard deviation × √365; days are those of UTC</source>
            <translation>Mittel der täglichen Änderungen der Equity / ihre Standardabweichung × √365; Tage gelten in UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sum of profits / sum of losses; there is no loss</source>
            <translation>Summe der Gewinne / Summe der Verluste; es gibt keinen Verlust</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>From the first fill to the close, sum over closed groups / their number</source>
            <translation>Von der ersten Ausführung bis zum Schließen, Summe über geschlossene Gruppen / ihre Anzahl</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Realized in this time, fees included, of open groups as well = {realized} USD
Closed groups alone: {realized_2} USD, {fees} USD of fees</source>
            <translation>In dieser Zeit realisiert, einschließlich Gebühren, auch von offenen Gruppen = {realized} USD
Nur geschlossene Gruppen: {realized_2} USD, {fees} USD Gebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Closed groups with a profit / closed groups that had filled = {wins} / {trades}</source>
            <translation>Geschlossene Gruppen mit Gewinn / geschlossene Gruppen mit Ausführung = {wins} / {trades}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sum of results / closed groups = {amount} / {trades} = {expectancy} USD
Average win {amount_2}, average loss {amount_3}</source>
            <translation>Summe der Ergebnisse / geschlossene Gruppen = {amount} / {trades} = {expectancy} USD
Ø Gewinn {amount_2}, Ø Verlust {amount_3}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>, lowest on {time}</source>
            <translation>, Tiefpunkt am {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Deepest fall of the equity (start capital + realized) from a peak = {amount} USD, {percent} of the peak{low}</source>
            <translation>Größter Rückgang der Equity (Startkapital + realisiert) von einem Hoch = {amount} USD, {percent} des Hochs{low}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sharpe needs at least {least_trades} trades; there is {trades}.</source>
            <translation>Sharpe braucht mindestens {least_trades} Trades; es gibt {trades}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sharpe needs at least {least_trades} trades; there are {trades}.</source>
            <translation>Sharpe braucht mindestens {least_trades} Trades; es gibt {trades}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>{count} that had filled</source>
            <translation>{count} mit Ausführung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sum of profits / sum of losses = {amount} / {amount_2}</source>
            <translation>Summe der Gewinne / Summe der Verluste = {amount} / {amount_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>closed group</source>
            <translation>geschlossene Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/strip.py" />
            <source>closed groups</source>
            <translation>geschlossene Gruppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Month</source>
            <translation>Monat</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Entry</source>
            <translation>Einstieg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Quantity</source>
            <translation>Menge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>What the entries filled, in the base currency</source>
            <translation>Ausgeführte Menge der Einstiege, in der Basiswährung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Held</source>
            <translation>Haltedauer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>From the first fill to the close</source>
            <translation>Von der ersten Ausführung bis zum Schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Fees</source>
            <translation>Gebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>What the exchange took for all fills, entries and exits</source>
            <translation>Was die Börse für alle Ausführungen berechnet hat, Einstiege und Ausstiege</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Per trade</source>
            <translation>Je Trade</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Profits</source>
            <translation>Gewinne</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Losses</source>
            <translation>Verluste</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Realized / (average entry × quantity)</source>
            <translation>Realisiert / (Ø Einstieg × Menge)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Opened {time}
Closed {time_2}</source>
            <translation>Eröffnet {time}
Geschlossen {time_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Average over all entry fills = {entry}</source>
            <translation>Durchschnitt aller Ausführungen der Einstiege = {entry}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Average over all closing fills = {exit}</source>
            <translation>Durchschnitt aller schließenden Ausführungen = {exit}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>{fees} {quote} of entries and exits</source>
            <translation>{fees} {quote} für Einstiege und Ausstiege</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>{realized} {quote}, fees included</source>
            <translation>{realized} {quote}, einschließlich Gebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Per {name}</source>
            <translation>Je {name}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>{wins} wins / {trades} trades</source>
            <translation>{wins} Gewinner / {trades} Trades</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Sum of profits {amount} / sum of losses {amount_2}</source>
            <translation>Summe der Gewinne {amount} / Summe der Verluste {amount_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Show chart</source>
            <translation>Chart anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Show alerts</source>
            <translation>Alarme anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Exit group…</source>
            <translation>Gruppe schließen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Cancel open legs…</source>
            <translation>Offene Stufen stornieren…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>See what was found</source>
            <translation>Befunde ansehen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>Skip risk once</source>
            <translation>Risiko einmal überspringen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>Unblock risk</source>
            <translation>Risiko freigeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>Block risk</source>
            <translation>Für Risiko sperren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Saving…</source>
            <translation>Wird gespeichert…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Lift the hold…</source>
            <translation>Halt aufheben…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exiting…</source>
            <translation>Wird geschlossen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancelling…</source>
            <translation>Wird storniert…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Releasing…</source>
            <translation>Wird freigegeben…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Undo</source>
            <translation>Rückgängig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>This was not done</source>
            <translation>Das wurde nicht getan</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>is cancelled</source>
            <translation>wird storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>are cancelled</source>
            <translation>werden storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Exit group</source>
            <translation>Gruppe schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source> (an old price)</source>
            <translation> (ein alter Preis)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancel open legs</source>
            <translation>Offene Stufen stornieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Exit at market</source>
            <translation>Zum Marktpreis schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Cancel and close</source>
            <translation>Stornieren und schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Result</source>
            <translation>Ergebnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>{held} {base} stay and keep their targets</source>
            <translation>{held} {base} bleiben und behalten ihre Ziele</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>nothing is held</source>
            <translation>kein Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Exit {group} at market?</source>
            <translation>{group} zum Marktpreis schließen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/review.py" />
            <location filename="../../src/execution_engine/ui/panels/form.py" />
            <location filename="../../src/execution_engine/ui/panels/target_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <location filename="../../src/execution_engine/ui/widgets/dialogs.py" />
            <source>Cancel</source>
            <translation>Abbrechen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Keep it open</source>
            <translation>Offen lassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>are sold, about {amount} {quote} at {price}</source>
            <translation>werden verkauft, etwa {amount} {quote} zu {price}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>are bought back, about {amount} {quote} at {price}</source>
            <translation>werden zurückgekauft, etwa {amount} {quote} zu {price}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Lift the hold on {group}?</source>
            <translation>Halt für {group} aufheben?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Cancel {count} of {group}?</source>
            <translation>{count} von {group} stornieren?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancel {count}</source>
            <translation>{count} stornieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Keep it</source>
            <translation>Behalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Keep them</source>
            <translation>Behalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>realizes about</source>
            <translation>realisiert etwa</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>is looked after again: targets, exits, orders that it lacks</source>
            <translation>wird wieder betreut: Ziele, Ausstiege, fehlende Orders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>If it happens again</source>
            <translation>Bei erneutem Auftreten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>it is put on hold again</source>
            <translation>sie wird wieder angehalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>open leg</source>
            <translation>offene Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>open legs</source>
            <translation>offene Stufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>nothing is held: the group closes</source>
            <translation>kein Bestand: Die Gruppe wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>are sold; there is no price now</source>
            <translation>werden verkauft; zurzeit gibt es keinen Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>are bought back; there is no price now</source>
            <translation>werden zurückgekauft; zurzeit gibt es keinen Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>{amount} USD of fees included</source>
            <translation>{amount} USD Gebühren eingerechnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/asking.py" />
            <source>{amount} {quote} of limits are taken off the exchange</source>
            <translation>Limits über {amount} {quote} werden von der Börse genommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/bar.py" />
            <source>Groups</source>
            <translation>Gruppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exit groups</source>
            <translation>Gruppen schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>being closed</source>
            <translation>Schließen läuft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>open legs are cancelled</source>
            <translation>offene Stufen werden storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>skipped once by the risk engine</source>
            <translation>von der Risiko-Engine einmal übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>left alone by the risk engine</source>
            <translation>von der Risiko-Engine ausgenommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>seen by the risk engine again</source>
            <translation>von der Risiko-Engine wieder beachtet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>as before</source>
            <translation>wie vorher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exit {count}…</source>
            <translation>{count} schließen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancel open legs of {count}…</source>
            <translation>Offene Stufen von {count} stornieren…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Skip risk once for {count}</source>
            <translation>Risiko für {count} einmal überspringen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Block risk for {count}</source>
            <translation>{count} für Risiko sperren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Unblock risk for {count}</source>
            <translation>Risiko für {count} freigeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exit {count} at market?</source>
            <translation>{count} zum Marktpreis schließen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exit {count}</source>
            <translation>{count} schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancel {count} of {count_2}?</source>
            <translation>{count} von {count_2} stornieren?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{count} that holds</source>
            <translation>{count} mit Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{count} that hold</source>
            <translation>{count} mit Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>, {unpriced} without a price not counted</source>
            <translation>, {unpriced} ohne Preis nicht mitgezählt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>TP mode is {mode} now</source>
            <translation>TP-Modus ist jetzt {mode}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{words} and {rest} more</source>
            <translation>{words} und {rest} weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>what is held stays and keeps its targets; groups without any close</source>
            <translation>Bestand bleibt und behält seine Ziele; Gruppen ohne Bestand werden geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{holds}, about {amount} USD{without}</source>
            <translation>{holds}, etwa {amount} USD{without}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>fees included</source>
            <translation>Gebühren eingerechnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{count} is cancelled</source>
            <translation>{count} wird storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{count} are cancelled</source>
            <translation>{count} werden storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Not done for {count}</source>
            <translation>Nicht erledigt für {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <source>realized </source>
            <translation>realisiert </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <source>Pyramid {pyramid}</source>
            <translation>Pyramide {pyramid}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <source>realized {text}</source>
            <translation>realisiert {text}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Leg {leg}</source>
            <translation>Stufe {leg}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <source>{some} of {of}</source>
            <translation>{some} von {of}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <source>{filled} of {all_of_it}</source>
            <translation>{filled} von {all_of_it}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <source>sold {at}</source>
            <translation>verkauft zu {at}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/cells.py" />
            <source>bought {at}</source>
            <translation>gekauft zu {at}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Open leg</source>
            <translation>Offene Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Fill</source>
            <translation>Ausführung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Chart</source>
            <translation>Chart</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Candles appear where there are enough prices for them</source>
            <translation>Kerzen erscheinen, wo genügend Preise vorliegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>How prices are drawn</source>
            <translation>Darstellung der Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Lines: </source>
            <translation>Linien: </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Candles</source>
            <translation>Kerzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Line</source>
            <comment>of a chart</comment>
            <translation>Linie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Pyr.</source>
            <translation>Pyr.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Pyramids, of at most</source>
            <translation>Pyramiden, von höchstens</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Legs · wt</source>
            <translation>St. · Gew.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Legs filled, of all; of a leg: its weight</source>
            <translation>Ausgeführte Stufen, von allen; bei einer Stufe: ihr Gewicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Average entry; of an open leg: its limit</source>
            <translation>Ø Einstieg; bei einer offenen Stufe: ihr Limit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>What a close would get</source>
            <translation>Was eine Schließung jetzt bekäme</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>The target nearest to the price</source>
            <translation>Das Ziel, das dem Preis am nächsten ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>To target</source>
            <translation>Bis Ziel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Way from the fill to the target</source>
            <translation>Weg von der Ausführung zum Ziel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Held; of a leg: filled of ordered</source>
            <translation>Gehalten; bei einer Stufe: ausgeführt von bestellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Fees paid</source>
            <translation>Gebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Next target</source>
            <translation>Nächstes Ziel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Capital</source>
            <translation>Kapital</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Risk timer</source>
            <translation>Risiko-Timer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Facts of the group</source>
            <translation>Angaben zur Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>pyramid</source>
            <translation>Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>pyramids</source>
            <translation>Pyramiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>{grid_name}: {count} per pyramid</source>
            <translation>{grid_name}: {count} je Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>{account} · {grid_name} grid</source>
            <translation>{account} · Grid {grid_name}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Not started</source>
            <translation>Nicht gestartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>On hold: {reason}</source>
            <translation>Angehalten: {reason}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/facts.py" />
            <source>What the grids of {name} may spend</source>
            <translation>Was die Grids von {name} ausgeben dürfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>No group matches the filter.</source>
            <translation>Keine Gruppe passt zum Filter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../../src/execution_engine/ui/widgets/fields.py" />
            <source>Filter by symbol</source>
            <translation>Nach Symbol filtern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>State</source>
            <translation>Status</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>Clear filters</source>
            <translation>Filter zurücksetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>No group was closed today.</source>
            <translation>Heute wurde keine Gruppe geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>All states</source>
            <translation>Alle Status</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>Closed today</source>
            <translation>Heute geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>A price is old, the sum is too</source>
            <translation>Ein Preis ist alt, die Summe damit auch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>No group matches “{typed}”.</source>
            <translation>Keine Gruppe passt zu „{typed}“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>{shown} of {count}</source>
            <translation>{shown} von {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>{world}invested {amount} USD</source>
            <translation>{world}investiert {amount} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>unrealized</source>
            <translation>unrealisiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/filters.py" />
            <source>, stale</source>
            <translation>, veraltet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/page.py" />
            <source>No open positions.</source>
            <translation>Keine offenen Positionen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/page.py" />
            <source>Chart and facts</source>
            <translation>Chart und Angaben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/page.py" />
            <source>Tree and chart</source>
            <translation>Baum und Chart</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/page.py" />
            <source>Show or hide the facts of the group</source>
            <translation>Angaben zur Gruppe ein- oder ausblenden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Each filled leg closes by itself at its own target.</source>
            <translation>Jede ausgeführte Stufe wird einzeln an ihrem eigenen Ziel geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>The whole group closes at one target above its average entry.</source>
            <translation>Die ganze Gruppe wird an einem Ziel über ihrem Ø Einstieg geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Each leg has its own target and the group a common one; the first reached acts.</source>
            <translation>Jede Stufe hat ein eigenes Ziel und die Gruppe ein gemeinsames; das zuerst erreichte gilt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>second</source>
            <translation>Sekunde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>seconds</source>
            <translation>Sekunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>minute</source>
            <translation>Minute</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>minutes</source>
            <translation>Minuten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>hour</source>
            <translation>Stunde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>hours</source>
            <translation>Stunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>day</source>
            <translation>Tag</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>days</source>
            <translation>Tage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>week</source>
            <translation>Woche</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>weeks</source>
            <translation>Wochen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>month</source>
            <translation>Monat</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>months</source>
            <translation>Monate</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>, the price is old</source>
            <translation>, der Preis ist alt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>nothing held</source>
            <translation>kein Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>the last trade</source>
            <translation>letzter Handel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>up</source>
            <translation>aufgerundet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>down</source>
            <translation>abgerundet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>blocked</source>
            <translation>gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Leg {leg} at {at}, {unrealized}, {word}</source>
            <translation>Stufe {leg} zu {at}, {unrealized}, {word}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{percent} from the base price, target {percent_2}</source>
            <translation>{percent} vom Basispreis, Ziel {percent_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{pyramid_count} of at most {max_pyramids} pyramids{more}</source>
            <translation>{pyramid_count} von höchstens {max_pyramids} Pyramiden{more}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Filled at {price} on average; the limit was {price_2}</source>
            <translation>Im Schnitt zu {price} ausgeführt; das Limit war {price_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Average entry = {invested} invested / {held} held = {average}</source>
            <translation>Ø Einstieg = {invested} investiert / {held} im Bestand = {average}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>the bid</source>
            <translation>Geldkurs (Bid)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>the ask</source>
            <translation>Briefkurs (Ask)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>What a close would get now: {which}, {by_hand}</source>
            <translation>Was ein Schließen jetzt brächte: {which}, {by_hand}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Price is {span} old; the stream is reconnecting</source>
            <translation>Der Preis ist {span} alt; der Datenstrom wird neu verbunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>
The group closes at its common target instead.</source>
            <translation>
Stattdessen schließt die Gruppe an ihrem gemeinsamen Ziel.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Whole group: </source>
            <translation>Ganze Gruppe: </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Target = {start} × {factor}, rounded {way} to the tick = {shown}</source>
            <translation>Ziel = {start} × {factor}, auf den Tick {way} = {shown}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{held} {base} held, {all_of_it} filled in all, {amount} USD invested</source>
            <translation>{held} {base} im Bestand, {all_of_it} insgesamt ausgeführt, {amount} USD investiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Unrealized = ({difference}) × {held} = {unrealized} USD</source>
            <translation>Unrealisiert = ({difference}) × {held} = {unrealized} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{result} / {invested} invested = {percent}</source>
            <translation>{result} / {invested} investiert = {percent}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Forced into the pool</source>
            <translation>Außer der Reihe nachgerückt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>skipped once</source>
            <translation>einmal übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>until {time}</source>
            <translation>bis {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Since {time}
{time_2}</source>
            <translation>Seit {time}
{time_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Pyramid {pyramid}, base price {base}, {unrealized}</source>
            <translation>Pyramide {pyramid}, Basispreis {base}, {unrealized}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>unrealized {amount} USD</source>
            <translation>unrealisiert {amount} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{exchange} {symbol}, {timeframe}, {side} on account {account}</source>
            <translation>{exchange} {symbol}, {timeframe}, {side} auf Konto {account}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{at}
group {group}, grid “{grid_name}”</source>
            <translation>{at}
Gruppe {group}, Grid „{grid_name}“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Base price {base_price}, {capital} USD, grid “{grid_name}”</source>
            <translation>Basispreis {base_price}, {capital} USD, Grid „{grid_name}“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{filled} of {count} legs filled, those that were sold again among them</source>
            <translation>{filled} von {count} Stufen ausgeführt, wieder verkaufte eingeschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{percent} of the pyramid's capital</source>
            <translation>{percent} vom Kapital der Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Limit order at {price}, nothing filled yet</source>
            <translation>Limit-Order zu {price}, noch nichts ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{closed_quantity} closed for {proceeds}, target {tp_price}</source>
            <translation>{closed_quantity} für {proceeds} geschlossen, Ziel {tp_price}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{filled_quantity} of {quantity} {base} filled</source>
            <translation>{filled_quantity} von {quantity} {base} ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>{held} {base} held</source>
            <translation>{held} {base} im Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Realized = {realized} USD, {fees} USD of fees deducted</source>
            <translation>Realisiert = {realized} USD, {fees} USD Gebühren abgezogen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>The risk engine leaves it alone</source>
            <translation>Die Risiko-Engine lässt sie aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>The risk engine skips it once</source>
            <translation>Die Risiko-Engine überspringt sie einmal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>not started</source>
            <translation>nicht gestartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>replacement</source>
            <translation>Ersetzung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>replacements</source>
            <translation>Ersetzungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Realized {realized} USD, {fees} USD of fees deducted</source>
            <translation>Realisiert {realized} USD, {fees} USD Gebühren abgezogen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>Realized so far {realized} USD</source>
            <translation>Bisher realisiert {realized} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/positions/words.py" />
            <source>, {open_quantity} held</source>
            <translation>, {open_quantity} im Bestand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Confirm Pool Override</source>
            <translation>Pool-Limit übergehen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Confirm &amp; Execute</source>
            <translation>Bestätigen und ausführen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Remove from the queue</source>
            <translation>Aus der Warteschlange entfernen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Remove</source>
            <translation>Entfernen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>above</source>
            <translation>über</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>below</source>
            <translation>unter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/accounts.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>spot</source>
            <translation>Spot</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>perpetuals</source>
            <translation>Perpetuals</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>1st</source>
            <translation>das erste</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>buy limit</source>
            <translation>Kauf-Limit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>buy limits</source>
            <translation>Kauf-Limits</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>sell limit</source>
            <translation>Verkaufs-Limit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>sell limits</source>
            <translation>Verkaufs-Limits</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Spends</source>
            <translation>Einsatz</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>their limits are at or {where} the price, {price}</source>
            <translation>ihre Limits liegen auf oder {where} dem Preis, {price}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>{count} of {count_2}: {reached}</source>
            <translation>{count} von {count_2}: {reached}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>This action will override the 'Max Open Groups' limit and immediately execute the signal for {name}. Are you sure you want to proceed?</source>
            <translation>Diese Aktion übergeht das Limit „Max. offene Gruppen“ und führt das Signal für {name} sofort aus. Möchten Sie wirklich fortfahren?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Remove {name} from the queue?</source>
            <translation>{name} aus der Warteschlange entfernen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source> and {count} more</source>
            <translation> und {count} weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Remove {count} from the queue?</source>
            <translation>{count} aus der Warteschlange entfernen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Remove {count}</source>
            <translation>{count} entfernen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Rank</source>
            <translation>Rang</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>cannot be laid out yet: there is no market price</source>
            <translation>noch nicht planbar: Es gibt keinen Marktpreis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>at {first}</source>
            <translation>zu {first}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Fill at once</source>
            <translation>Sofort ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>none: the price, {price}, has not reached their limits</source>
            <translation>keine: Der Preis, {price}, hat ihre Limits nicht erreicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>, {amount} of margin</source>
            <translation>, {amount} Margin</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Signal</source>
            <translation>Signal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>In queue</source>
            <translation>Wartezeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Its alert</source>
            <translation>Sein Alarm</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>ends cancelled; replayed, it waits again as the newest</source>
            <translation>endet als storniert; erneut gesendet, wartet er wieder als neuester</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/page.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Signals</source>
            <translation>Signale</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Their alerts</source>
            <translation>Ihre Alarme</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>end cancelled; replayed, they wait again as the newest</source>
            <translation>enden als storniert; erneut gesendet, warten sie wieder als neueste</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>becomes</source>
            <translation>wird zu</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>the {place} signals before it</source>
            <translation>die {place} Signale davor</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>from {first} down to {last}</source>
            <translation>von {first} abwärts bis {last}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>from {first} up to {last}</source>
            <translation>von {first} aufwärts bis {last}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>now{margin}, {amount} with all {pyramids} pyramids</source>
            <translation>jetzt{margin}, {amount} mit allen {pyramids} Pyramiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>until a group closes</source>
            <translation>bis eine Gruppe schließt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>there is a free slot</source>
            <translation>ein Platz ist frei</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/asking.py" />
            <source>goes ahead of {ahead}</source>
            <translation>überholt {ahead}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/busy.py" />
            <source>Opening…</source>
            <translation>Wird eröffnet…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Error: Could not force position into the pool. See logs for details.</source>
            <translation>Fehler: Die Position konnte nicht außer der Reihe nachrücken. Einzelheiten im Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>No slot is in use. The next alert of a new key opens at once.</source>
            <translation>Kein Platz ist belegt. Der nächste Alarm eröffnet sofort.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Last promotions</source>
            <translation>Zuletzt nachgerückt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>who got a slot, and why</source>
            <translation>wer einen Platz bekam und warum</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Nothing was promoted yet.</source>
            <translation>Noch nichts ist nachgerückt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Take the selected signals out of the queue…</source>
            <translation>Gewählte Signale aus der Warteschlange nehmen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Their places cannot be had back; replayed, their alerts wait again as the newest.</source>
            <translation>Ihre Plätze sind verloren; erneut gesendet, warten ihre Alarme wieder als neueste.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Its place cannot be had back; replayed, its alert waits again as the newest.</source>
            <translation>Sein Platz ist verloren; erneut gesendet, wartet sein Alarm wieder als neuester.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Below the queue</source>
            <translation>Unter der Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Force add…</source>
            <translation>Vorziehen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Remove…</source>
            <translation>Entfernen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>No signal of this account waits.</source>
            <translation>Kein Signal dieses Kontos wartet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Pool settings</source>
            <translation>Pool-Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source> It keeps its place.</source>
            <translation> Es behält seinen Platz.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Success: Position group for {name} has been forced into the pool.</source>
            <translation>Erfolg: Die Positionsgruppe für {name} ist außer der Reihe in den Pool nachgerückt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Order</source>
            <translation>Reihenfolge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>The only slot is used</source>
            <translation>Der einzige Platz ist belegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>{count} removed from the queue</source>
            <translation>{count} aus der Warteschlange entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>{name} was removed from the queue</source>
            <translation>{name} wurde aus der Warteschlange entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Remove {count}…</source>
            <translation>{count} entfernen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>{count} of {max_queue}</source>
            <translation>{count} von {max_queue}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>No signal matches “{text}”.</source>
            <translation>Kein Signal passt zu „{text}“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Nothing waits. {free} of {size} slots is free: a new key opens at once.</source>
            <translation>Nichts wartet. {free} von {size} Plätzen ist frei: Eine neue Gruppe wird sofort eröffnet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Nothing waits. {free} of {size} slots are free: new keys open at once.</source>
            <translation>Nichts wartet. {free} von {size} Plätzen sind frei: Neue Gruppen werden sofort eröffnet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Nothing waits. {taken}: the next new key waits here.</source>
            <translation>Nichts wartet. {taken}: Die nächste neue Gruppe wartet hier.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>Pool {used} / {size}.</source>
            <translation>Pool {used} / {size}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>{count} stayed in the queue</source>
            <translation>Weiter in der Warteschlange: {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/page.py" />
            <source>All {size} slots are used</source>
            <translation>Alle {size} Plätze sind belegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>It opened a group.</source>
            <translation>Es hat eine Gruppe eröffnet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>It became a pyramid of its open group.</source>
            <translation>Es wurde eine Pyramide seiner offenen Gruppe.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>Its group had all pyramids: it counts as a replacement.</source>
            <translation>Seine Gruppe hatte alle Pyramiden: Es zählt als Ersetzung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>{symbol} {timeframe} {side} was promoted, {reason}</source>
            <translation>{symbol} {timeframe} {side} ist nachgerückt, {reason}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>
It waited {span}.</source>
            <translation>
Es wartete {span}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>When</source>
            <translation>Wann</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>Why it was its turn</source>
            <translation>Warum es an der Reihe war</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/promotions.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>on {account}</source>
            <translation>auf {account}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/ranked.py" />
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>no fresh price</source>
            <translation>kein aktueller Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>when it is full, new signals are rejected</source>
            <translation>wenn sie voll ist, werden neue Signale abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>when it is full, the last rank is dropped</source>
            <translation>wenn sie voll ist, fällt der letzte Rang heraus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>Its key has an open group</source>
            <translation>Für Paar und Zeitrahmen ist eine Gruppe offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>continues the position: needs no slot, goes at once</source>
            <translation>setzt die Position fort: braucht keinen Platz, geht sofort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>Deepest current loss</source>
            <translation>Größter aktueller Verlust</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>a gain counts as 0, and so does a price that is not fresh</source>
            <translation>ein Gewinn zählt als 0, ein nicht aktueller Preis ebenso</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>Most often replaced</source>
            <translation>Am häufigsten ersetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>the newest signal of a key counts, its place in time is kept</source>
            <translation>je Paar und Zeitrahmen zählt das neueste Signal, sein zeitlicher Platz bleibt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>First in, first out</source>
            <translation>Wer zuerst kommt, geht zuerst</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>by the time since which the key waits</source>
            <translation>nach der Zeit, seit der Paar und Zeitrahmen warten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>each waits without end</source>
            <translation>jedes wartet unbegrenzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>{count} of {max_queue} · {overflow} · {pool}</source>
            <translation>{count} von {max_queue} · {overflow} · {pool}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>each waits {span} at most</source>
            <translation>jedes wartet höchstens {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>Order of promotion</source>
            <translation>Reihenfolge des Nachrückens</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>compared one after the other</source>
            <translation>eine nach der anderen verglichen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/rules.py" />
            <source>rule </source>
            <translation>Regel </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>closing now</source>
            <translation>wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>leg by leg</source>
            <translation>Stufe für Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Slot held by</source>
            <translation>Platz belegt von</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Entries of its key so far / how many it may have</source>
            <translation>Bisherige Einstiege der Gruppe / wie viele sie haben darf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>(price − average entry) / (common target − average entry)</source>
            <translation>(Preis − Ø Einstieg) / (gemeinsames Ziel − Ø Einstieg)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Forced in above the limit</source>
            <translation>Außer der Reihe über das Limit hinaus nachgerückt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source> × −1 for a short</source>
            <translation> × −1 bei Short</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>The alert named no entry price.</source>
            <translation>Der Alarm nannte keinen Einstiegspreis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>({price} − {entry}) / {entry} × 100{mirrored} = {loss} %; a gain counts as 0</source>
            <translation>({price} − {entry}) / {entry} × 100{mirrored} = {loss} %; ein Gewinn zählt als 0</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>since {time}{ends}</source>
            <translation>seit {time}{ends}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>
ends {time}</source>
            <translation>
endet {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>What the alert says the entry is at</source>
            <translation>Wo der Einstieg laut Alarm liegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Price now</source>
            <translation>Preis jetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>The newest price of the market</source>
            <translation>Der neueste Preis am Markt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Current loss</source>
            <translation>Akt. Verlust</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>(price − entry) / entry, mirrored for a short; a gain counts as 0</source>
            <translation>(Preis − Einstieg) / Einstieg, bei Short gespiegelt; ein Gewinn zählt als 0</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>How often a newer signal of its key took its place</source>
            <translation>Wie oft ein neueres Signal desselben Paars und Zeitrahmens seinen Platz einnahm</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Why this rank</source>
            <translation>Warum dieser Rang</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>At the market, when it is opened</source>
            <translation>Zum Marktpreis beim Eröffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>The price is old; the stream is reconnecting</source>
            <translation>Der Preis ist alt; der Datenstrom wird neu verbunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>{exchange}:{symbol}, alert {alert_id}</source>
            <translation>{exchange}:{symbol}, Alarm {alert_id}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Run the offset</source>
            <translation>Ausgleich starten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Rehearse the offset</source>
            <translation>Ausgleich als Probelauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Rehearse</source>
            <translation>Probelauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Winners are closed first. What was closed cannot be taken back.</source>
            <translation>Gewinner werden zuerst geschlossen. Das lässt sich nicht rückgängig machen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Quantities follow the prices of that moment</source>
            <translation>Mengen richten sich nach den dann geltenden Preisen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>{names}, then {loser}</source>
            <translation>{names}, dann {loser}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Winner</source>
            <translation>Gewinner</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Loser</source>
            <translation>Verlierer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Together</source>
            <translation>Zusammen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Stays open</source>
            <translation>Bleibt offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>This is a rehearsal: nothing is sent to an exchange, no skip is used up. The plan is kept in the history, with what it would have meant.</source>
            <translation>Dies ist ein Probelauf: Nichts wird an eine Börse gesendet, kein Überspringen wird verbraucht. Der Plan bleibt im Verlauf, mit dem, was er bedeutet hätte.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Nothing is sent</source>
            <translation>Nichts wird gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Close {plan}?</source>
            <translation>{plan} schließen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>part of {step}</source>
            <translation>Teil von {step}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Winners</source>
            <translation>Gewinner</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>nothing of these</source>
            <translation>nichts davon</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Rehearse closing {plan}?</source>
            <translation>Probelauf: {plan} schließen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>{count} more</source>
            <translation>{count} weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>{quantity} at {price}</source>
            <translation>{quantity} zu {price}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>fee {amount}</source>
            <translation>Gebühr {amount}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>mores</source>
            <translation>weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/asking.py" />
            <source>after {amount} USD of closing fees</source>
            <translation>nach {amount} USD Schließgebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <location filename="../../src/execution_engine/domain/facts.py" />
            <source>Risk</source>
            <translation>Risiko</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/bar.py" />
            <source>Risk settings</source>
            <translation>Risiko-Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/bar.py" />
            <source>Below the plan</source>
            <translation>Unter dem Plan</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>History</source>
            <translation>Verlauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/cover.py" />
            <source>Winners gave {amount} of {needed} USD, the loser's loss and closing fee</source>
            <translation>Gewinner brachten {amount} von {needed} USD, Verlust und Schließgebühr des Verlierers</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/cover.py" />
            <source>Winners give {amount} of {needed} USD, the loser's loss and closing fee</source>
            <translation>Gewinner bringen {amount} von {needed} USD, Verlust und Schließgebühr des Verlierers</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/cover.py" />
            <source>nothing is missing</source>
            <translation>nichts fehlt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/cover.py" />
            <source>{said} of {amount} USD</source>
            <translation>{said} von {amount} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/cover.py" />
            <source>{amount} USD are still to come</source>
            <translation>{amount} USD stehen noch aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/cover.py" />
            <source>nothing</source>
            <translation>nichts</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/cover.py" />
            <source>{amount} USD are missing</source>
            <translation>{amount} USD fehlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>no position</source>
            <translation>keine Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>closing</source>
            <translation>wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>entries</source>
            <comment>into a position</comment>
            <translation>Einstiege</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>timer</source>
            <translation>Timer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>loss</source>
            <translation>Verlust</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>age</source>
            <translation>Alter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>too small</source>
            <translation>zu klein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <location filename="../../src/execution_engine/ui/tables/graphics.py" />
            <source>met</source>
            <translation>erfüllt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <location filename="../../src/execution_engine/ui/tables/graphics.py" />
            <source>not met</source>
            <translation>nicht erfüllt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>legs work</source>
            <translation>Stufen aktiv</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Loser of the plan</source>
            <translation>Verlierer im Plan</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Pays in the plan</source>
            <translation>Zahlt im Plan</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Can be the loser</source>
            <translation>Kann Verlierer sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>{span} left</source>
            <translation>noch {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>price is old</source>
            <translation>Preis ist alt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <location filename="../../src/execution_engine/ui/tables/graphics.py" />
            <location filename="../../src/execution_engine/domain/changes.py" />
            <source>off</source>
            <translation>aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>It holds something, and all of it can be sold</source>
            <translation>Sie hat einen Bestand, und er ist ganz verkäuflich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Entries done</source>
            <translation>Einstiege fertig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>No entry leg is working (risk.require_filled_grid)</source>
            <translation>Keine Einstiegsstufe ist mehr aktiv (risk.require_filled_grid)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Not closing</source>
            <translation>Schließt nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>It is not closing and not on hold</source>
            <translation>Sie wird nicht geschlossen und ist nicht angehalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>It has all its pyramids (risk.require_full_pyramids)</source>
            <translation>Sie hat alle ihre Pyramiden (risk.require_full_pyramids)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Timer</source>
            <translation>Timer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Its waiting time is over (risk.post_full_wait_minutes)</source>
            <translation>Ihre Wartezeit ist vorbei (risk.post_full_wait_minutes)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Loss</source>
            <translation>Verlust</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Unrealized result / invested × 100, at a fresh price (risk.loss_threshold_percent)</source>
            <translation>Unrealisiertes Ergebnis / investiert × 100, zu einem aktuellen Preis (risk.loss_threshold_percent)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>It is old enough (risk.use_age_filter)</source>
            <translation>Sie ist alt genug (risk.use_age_filter)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Not blocked</source>
            <translation>Nicht gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Neither blocked nor skipped once by you</source>
            <translation>Von Ihnen weder gesperrt noch einmal übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Verdict</source>
            <translation>Urteil</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>{said}, off</source>
            <translation>{said}, aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>ended {time}</source>
            <translation>endete {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>not yet: {reasons}</source>
            <translation>noch nicht: {reasons}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>no: {reasons}</source>
            <translation>nein: {reasons}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/groups.py" />
            <source>on {account}
{line}</source>
            <translation>auf {account}
{line}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>skipped once by you</source>
            <translation>von Ihnen einmal übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>blocked by you</source>
            <translation>von Ihnen gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>unblocked by you</source>
            <translation>von Ihnen freigegeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>winner</source>
            <translation>Gewinner</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>stands in</source>
            <translation>springt ein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>loser</source>
            <translation>Verlierer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>top-up</source>
            <translation>Aufstockung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Shortfall</source>
            <translation>Fehlbetrag</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Rehearsed</source>
            <translation>Probelauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Blocked</source>
            <translation>Gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Unblocked</source>
            <translation>Freigegeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>by you</source>
            <translation>durch Sie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>by the timer</source>
            <translation>durch den Timer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>nothing was sent</source>
            <translation>nichts wurde gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>would be the same by now</source>
            <translation>wäre inzwischen gleich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>{done} of {count}; {last}</source>
            <translation>{done} / {count}; {last}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Planned</source>
            <translation>Geplant</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>fee {fee} {fee_currency}</source>
            <translation>Gebühr {fee} {fee_currency}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>What the loser came to by its fills; grey: as it was planned</source>
            <translation>Ergebnis des Verlierers nach seinen Ausführungen; grau: wie geplant</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Winners gave</source>
            <translation>Von Gewinnern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>What closing the winners came to, after fees</source>
            <translation>Was das Schließen der Gewinner brachte, nach Gebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Net</source>
            <translation>Netto</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>All closes together, after their fees and before the entry fees</source>
            <translation>Alle Schließungen zusammen, nach deren Gebühren und vor den Einstiegsgebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Details</source>
            <translation>Details</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>step</source>
            <translation>Schritt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>steps</source>
            <translation>Schritte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>{filled} of {at}</source>
            <translation>{filled} von {at}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>would have gained {amount} USD</source>
            <translation>hätte {amount} USD gebracht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>would have cost {amount} USD</source>
            <translation>hätte {amount} USD gekostet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>Step {at}, {roles}</source>
            <translation>Schritt {at}, {roles}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>
ended {time}</source>
            <translation>
beendet {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/history.py" />
            <source>fees {fees} USD</source>
            <translation>Gebühren {fees} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>Who can be the loser</source>
            <translation>Wer Verlierer sein kann</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>newest first; open an entry for its steps and fills</source>
            <translation>neueste zuerst; Eintrag aufklappen für Schritte und Ausführungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>Nothing yet. Every offset, rehearsal, skip and block is kept here.</source>
            <translation>Noch nichts. Alle Ausgleiche, Probeläufe, Überspringungen und Sperren stehen hier.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>No group of this account is open.</source>
            <translation>Keine Gruppe dieses Kontos ist offen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>No position is open. Each one that opens is judged here, rule by rule.</source>
            <translation>Keine Position ist offen. Jede, die eröffnet wird, wird hier Regel für Regel beurteilt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>The risk engine was told</source>
            <translation>Der Risiko-Engine mitgeteilt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>History of the risk engine</source>
            <translation>Verlauf der Risiko-Engine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>Show position</source>
            <translation>Position anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>The plan has changed meanwhile: another group would be closed. Look at it again.</source>
            <translation>Der Plan hat sich inzwischen geändert: Eine andere Gruppe würde geschlossen. Prüfen Sie ihn noch einmal.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>Off: the risk engine does nothing.</source>
            <translation>Aus: Die Risiko-Engine tut nichts.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>Turn on…</source>
            <translation>Einschalten…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>at the prices of {time}</source>
            <translation>zu den Preisen von {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/page.py" />
            <source>The risk engine has looked</source>
            <translation>Die Risiko-Engine hat geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>A winner: its profit pays for the loser</source>
            <translation>Ein Gewinner: sein Gewinn zahlt für den Verlierer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Stands in for what the planned winners came to lack</source>
            <translation>Springt ein für das, was den geplanten Gewinnern fehlte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>The loser, closed after the winners paid for it</source>
            <translation>Der Verlierer, geschlossen, wenn die Gewinner gezahlt haben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Makes up what the loser lost more than planned</source>
            <translation>Gleicht aus, was der Verlierer mehr verlor als geplant</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>In part</source>
            <translation>Teilweise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../../src/execution_engine/domain/audit.py" />
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Close all</source>
            <translation>Ganz schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Close a part</source>
            <translation>Teil schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Close the loser</source>
            <translation>Verlierer schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{quantity} of {held} held; {left} stay open</source>
            <translation>{quantity} von {held} im Bestand; {left} bleiben offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{moved} − {fee_percent} % of {at} for the close = {per_unit} USD</source>
            <translation>{moved} − {fee_percent} % von {at} für das Schließen = {per_unit} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Expected, the closing fee of {amount} USD included: {expected} USD</source>
            <translation>Erwartet, einschließlich {amount} USD Schließgebühr: {expected} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{step}, {quantity} at {price}, {amount} USD</source>
            <translation>{step}, {quantity} zu {price}, {amount} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Step {number}, {step} {side}, {said}</source>
            <translation>Schritt {number}, {step} {side}, {said}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Step</source>
            <translation>Nr.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Action</source>
            <translation>Aktion</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Of held</source>
            <translation>Anteil</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>What a close would get now</source>
            <translation>Was ein Schließen jetzt brächte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Per unit</source>
            <translation>Je Einheit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Result of closing one unit, after the fee of the close; entry fees are spent already</source>
            <translation>Ergebnis beim Schließen einer Einheit, nach Schließgebühr; Einstiegsgebühren sind bereits bezahlt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Realizes</source>
            <translation>Realisiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{done} of {asked}</source>
            <translation>{done} von {asked}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>By its fills, fees of {fees} USD included: {result} USD</source>
            <translation>Nach Ausführungen, einschließlich {fees} USD Gebühren: {result} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{filled} of {quantity}</source>
            <translation>{filled} von {quantity}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Current plan</source>
            <translation>Aktueller Plan</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Skip once</source>
            <translation>1× überspringen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Block</source>
            <translation>Sperren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Run now…</source>
            <translation>Jetzt starten…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>between two steps</source>
            <translation>zwischen zwei Schritten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Not covered</source>
            <translation>Nicht gedeckt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>There is nothing to be carried out now</source>
            <translation>Derzeit gibt es nichts auszuführen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>only the covered part is closed, {missing} USD are missing</source>
            <translation>nur der gedeckte Teil wird geschlossen, {missing} USD fehlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>an offset is under way, {now}; it goes on after a restart</source>
            <translation>ein Ausgleich läuft, {now}; nach einem Neustart geht er weiter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>{loser} is left alone until you unblock it</source>
            <translation>{loser} bleibt ausgenommen, bis Sie die Gruppe freigeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>{loser} is left alone once; the next worst group takes its turn</source>
            <translation>{loser} wird einmal ausgelassen; die nächstschlechteste Gruppe ist an der Reihe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Block {loser}</source>
            <translation>{loser} sperren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Winners are closed first. If a step fails the loser stays open, unless what was realized covers it.</source>
            <translation>Gewinner werden zuerst geschlossen. Scheitert ein Schritt, bleibt der Verlierer offen, außer das Realisierte deckt ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Winners, after closing fees</source>
            <translation>Gewinner, nach Schließgebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Loser's closing fee</source>
            <translation>Schließgebühr des Verlierers</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Slots that become free</source>
            <translation>Frei werdende Plätze</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Projection</source>
            <translation>Prognose</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>So far</source>
            <translation>Bisher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>by the fills</source>
            <translation>nach Ausführungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>{symbol}, {left} of {held}</source>
            <translation>{symbol}, {left} von {held}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Winners {amount}, loser {amount_2}, fee {amount_3}</source>
            <translation>Gewinner {amount}, Verlierer {amount_2}, Gebühr {amount_3}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>{gives}: together {amount} USD; {freed} slots become free</source>
            <translation>{gives}: zusammen {amount} USD; {freed} Plätze werden frei</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>So far winners gave {amount}, the loser {amount_2}: together {amount_3} USD</source>
            <translation>Bisher brachten Gewinner {amount}, der Verlierer {amount_2}: zusammen {amount_3} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>all of it, nothing is closed</source>
            <translation>alles, nichts wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/projection.py" />
            <source>{count} of {count_2}</source>
            <translation>{count} von {count_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>all pyramids are there</source>
            <translation>alle Pyramiden da sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>all legs were sent</source>
            <translation>alle Stufen gesendet sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>all legs filled</source>
            <translation>alle Stufen ausgeführt sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>it is closing</source>
            <translation>wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>it is on hold</source>
            <translation>ist angehalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>its price is old</source>
            <translation>ihr Preis ist alt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>entry legs still work</source>
            <translation>Einstiegsstufen sind noch aktiv</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>pyramids are missing</source>
            <translation>Pyramiden fehlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>its timer has not started</source>
            <translation>ihr Timer ist nicht gestartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>no loss</source>
            <translation>kein Verlust</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>not old enough</source>
            <translation>nicht alt genug</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>too small to be sold</source>
            <translation>zu klein zum Verkaufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>No plan: nothing is open here.</source>
            <translation>Kein Plan: Hier ist nichts offen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source> Partial offsets are off.</source>
            <translation> Teilweiser Ausgleich ist aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>it does not evaluate</source>
            <translation>prüft nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>{post_full_wait_minutes} min after {starts}</source>
            <translation>{post_full_wait_minutes} min, nachdem {starts}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>{groups} · all rules must be met: a loss of {loss_threshold_percent} or more, {wait}</source>
            <translation>{groups} · alle Regeln müssen erfüllt sein: ein Verlust von {loss_threshold_percent} oder mehr, {wait}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>No plan: no group meets all rules. Nearest: {found}, {nearest}.</source>
            <translation>Kein Plan: Keine Gruppe erfüllt alle Regeln. Am nächsten dran: {found}, {nearest}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>{amount} USD are missing.{partial}</source>
            <translation>{amount} USD fehlen.{partial}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>runs at the next evaluation{left}</source>
            <translation>läuft bei der nächsten Prüfung{left}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>next in {span} · every {interval_s}</source>
            <translation>nächste in {span} · alle {interval_s}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>, in {span}</source>
            <translation>, in {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>rehearsed at the next evaluation{left}: nothing is sent</source>
            <translation>Probelauf bei der nächsten Prüfung{left}: Nichts wird gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>last evaluated {time} · {next_at}</source>
            <translation>zuletzt geprüft {time} · {next_at}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>timer {span} left</source>
            <translation>Timer noch {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/risk/words.py" />
            <source>{percent} of {loss_threshold_percent}</source>
            <translation>{percent} von {loss_threshold_percent}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/accounts.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>USDT perpetual</source>
            <translation>USDT-Perpetual</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/accounts.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>every exchange's rules</source>
            <translation>Regeln jeder Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/accounts.py" />
            <source>Account {name}</source>
            <translation>Konto {name}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Bindings</source>
            <translation>Zuordnungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>the first line that fits counts; all others use the default profile</source>
            <translation>die erste passende Zeile gilt; alles andere nutzt das Standardprofil</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Add binding</source>
            <translation>Neue Zuordnung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Enter a symbol, as BTCUSDT or BINANCE:BTCUSDT.P.</source>
            <translation>Geben Sie ein Symbol ein, etwa BTCUSDT oder BINANCE:BTCUSDT.P.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Which profile gets</source>
            <translation>Welches Profil gilt für</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Symbol to try</source>
            <translation>Symbol zum Testen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Timeframe to try</source>
            <translation>Zeitrahmen zum Testen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Move up</source>
            <translation>Nach oben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Move down</source>
            <translation>Nach unten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Known as soon as nothing is wrong with the bindings.</source>
            <translation>Bekannt, sobald die Zuordnungen fehlerfrei sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>{default}, the default: no line fits {name} on {frame}</source>
            <translation>{default}, der Standard: Keine Zeile passt zu {name} auf {frame}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Nothing is bound: every symbol uses the default profile.</source>
            <translation>Keine Zuordnung: Jedes Symbol nutzt das Standardprofil.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Symbols</source>
            <translation>Symbole</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Timeframes</source>
            <translation>Zeitrahmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>Profile</source>
            <translation>Profil</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>“{timeframe}” is no timeframe, as 15, 4h or 1D.</source>
            <translation>„{timeframe}“ ist kein Zeitrahmen wie 15, 4h oder 1D.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Binding {place}, {name}</source>
            <translation>Zuordnung {place}, {name}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>{profile}, by line {number}: {symbol} on {timeframe}</source>
            <translation>{profile}, nach Zeile {number}: {symbol} auf {timeframe}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>{tip} binding {place}</source>
            <translation>{tip}: Zuordnung {place}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/changed.py" />
            <location filename="../../src/execution_engine/domain/changes.py" />
            <source>nothing differs</source>
            <translation>nichts ist anders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/changed.py" />
            <source>{some}; and {more} more</source>
            <translation>{some}; und {more} weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/editors.py" />
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Off</source>
            <translation>Aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/editors.py" />
            <source>one per line</source>
            <translation>eins pro Zeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/editors.py" />
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>On</source>
            <translation>Ein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>Add profile</source>
            <translation>Neues Profil</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>how the legs of every profile enter</source>
            <translation>wie die Stufen jedes Profils einsteigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>Worst case: not known while this is wrong</source>
            <translation>Schlimmster Fall: unbekannt, solange etwas nicht stimmt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>Duplicate</source>
            <comment>to copy it</comment>
            <translation>Duplizieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>Delete</source>
            <translation>Löschen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Spent</source>
            <translation>Einsatz</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Gap %</source>
            <translation>Abstand %</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Weight %</source>
            <translation>Gewicht %</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Target %</source>
            <translation>Ziel %</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Target price</source>
            <translation>Zielpreis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Average so far</source>
            <translation>Ø bisher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Name of the profile</source>
            <translation>Name des Profils</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/profile_list.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>default</source>
            <translation>Standard</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Make default</source>
            <translation>Als Standard</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Add leg</source>
            <translation>Neue Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Remove leg</source>
            <translation>Stufe entfernen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Even weights</source>
            <translation>Gleich gewichten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Exchange weight and target with the leg above</source>
            <translation>Gewicht und Ziel mit der Stufe darüber tauschen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Exchange weight and target with the leg below</source>
            <translation>Gewicht und Ziel mit der Stufe darunter tauschen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Give every leg the same weight</source>
            <translation>Jeder Stufe das gleiche Gewicht geben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Leg {line}</source>
            <translation>Stufe {line}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>{count} · weights add up to {total} %</source>
            <translation>{count} · Summe der Gewichte: {total} %</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Remove leg {picked_leg}</source>
            <translation>Stufe {picked_leg} entfernen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>; every leg is above {min_notional} {quote}</source>
            <translation>; jede Stufe liegt über {min_notional} {quote}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Leg {line}, {titles}</source>
            <translation>Stufe {line}, {titles}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Gaps move strictly away; weights add up{least}.</source>
            <translation>Abstände wachsen stetig; die Gewichte gehen auf{least}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/legs.py" />
            <source>All filled: {cost} {quote} at {cost_2}</source>
            <translation>Alle ausgeführt: {cost} {quote} zu {cost_2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>saved in the window</source>
            <translation>im Fenster gespeichert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>taken back in the window</source>
            <translation>im Fenster rückgängig gemacht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Find a setting</source>
            <translation>Einstellung suchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Versions…</source>
            <translation>Versionen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Import…</source>
            <translation>Importieren…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>, the defaults</source>
            <translation>, der Standard</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Use the settings from before that again?</source>
            <translation>Die Einstellungen von davor wieder verwenden?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Restore settings</source>
            <translation>Einstellungen wiederherstellen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Restore</source>
            <translation>Wiederherstellen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Import settings</source>
            <translation>Einstellungen importieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Settings (*.json);;All files (*)</source>
            <translation>Einstellungen (*.json);;Alle Dateien (*)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Import</source>
            <translation>Importieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Export settings</source>
            <translation>Einstellungen exportieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/step.py" />
            <source>Save settings</source>
            <translation>Einstellungen speichern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Save these changes?</source>
            <translation>Diese Änderungen speichern?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/step.py" />
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Save</source>
            <translation>Speichern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Take back</source>
            <translation>Rückgängig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Use them</source>
            <translation>Übernehmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>The settings are as before</source>
            <translation>Die Einstellungen sind wie zuvor</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Use version {number} again?</source>
            <translation>Version {number} wieder verwenden?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Import {path}? {count} would change.</source>
            <translation>{path} importieren? Zu ändern: {count}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Settings exported</source>
            <translation>Einstellungen exportiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>, saved {time}</source>
            <translation>, gespeichert {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Version {number}{saved}</source>
            <translation>Version {number}{saved}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>The settings were not taken back</source>
            <translation>Die Änderungen wurden nicht rückgängig gemacht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>The versions cannot be read</source>
            <translation>Die Versionen sind nicht lesbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>version {number} restored</source>
            <translation>Version {number} wiederhergestellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>setting</source>
            <translation>Einstellung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>settings</source>
            <translation>Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>imported from {path}</source>
            <translation>aus {path} importiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>{count} is in force</source>
            <translation>{count} gilt jetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>{count} are in force</source>
            <translation>{count} gelten jetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>The settings were not exported</source>
            <translation>Die Einstellungen wurden nicht exportiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>{path} holds no secret.</source>
            <translation>{path} enthält kein Geheimnis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>is too large for settings</source>
            <translation>ist zu groß für Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>Version {number} cannot be used</source>
            <translation>Version {number} ist nicht verwendbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/page.py" />
            <source>{path} was not imported</source>
            <translation>{path} wurde nicht importiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <source>Preview</source>
            <translation>Vorschau</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <source>Market of the preview</source>
            <translation>Markt der Vorschau</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <source>Base price of the preview</source>
            <translation>Basispreis der Vorschau</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <source>Side of the preview</source>
            <translation>Seite der Vorschau</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <source>with</source>
            <translation>mit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <source>base</source>
            <translation>Basis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/preview.py" />
            <source>enter a base price above 0</source>
            <translation>geben Sie einen Basispreis über 0 ein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>Profiles</source>
            <translation>Profile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profile_list.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Grid profiles</source>
            <translation>Grid-Profile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>Add a profile</source>
            <translation>Profil hinzufügen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>default, </source>
            <translation>Standard, </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>a profile needs a name</source>
            <translation>ein Profil braucht einen Namen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>a name has up to 64 letters, digits, spaces, “-” and “_”</source>
            <translation>ein Name hat bis zu 64 Buchstaben, Ziffern, Leerzeichen, „-“ und „_“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>It is the default; make another one the default first.</source>
            <translation>Es ist das Standardprofil; machen Sie zuerst ein anderes zum Standard.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>{symbol} on {timeframe}</source>
            <translation>{symbol} auf {timeframe}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>all other symbols</source>
            <translation>alle anderen Symbole</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>all symbols</source>
            <translation>alle Symbole</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>named by alerts only</source>
            <translation>nur von Alarmen genannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>there is a profile “{name}” already</source>
            <translation>es gibt bereits ein Profil „{name}“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>It is bound to {used}; change that first.</source>
            <translation>Es ist {used} zugeordnet; ändern Sie das zuerst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/rail.py" />
            <source>, something is wrong</source>
            <translation>, etwas stimmt nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/rail.py" />
            <source>, not saved</source>
            <translation>, nicht gespeichert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/rail.py" />
            <source>Settings by subject</source>
            <translation>Einstellungen nach Thema</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/review.py" />
            <source>Nothing differs.</source>
            <translation>Keine Unterschiede.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/review.py" />
            <source>not there</source>
            <translation>nicht vorhanden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/review.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <location filename="../../src/execution_engine/domain/changes.py" />
            <source>empty</source>
            <translation>leer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/review.py" />
            <source>Before</source>
            <translation>Vorher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/review.py" />
            <source>After</source>
            <translation>Nachher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/review.py" />
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>What differs</source>
            <translation>Unterschiede</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>Enter a value.</source>
            <translation>Geben Sie einen Wert ein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>Reset</source>
            <translation>Zurücksetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <location filename="../../src/execution_engine/domain/changes.py" />
            <source>on</source>
            <translation>ein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>{low} to {high}</source>
            <translation>{low} bis {high}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>above {low}</source>
            <translation>über {low}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>from {low}</source>
            <translation>ab {low}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>below {high}</source>
            <translation>unter {high}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>at most {high}</source>
            <translation>höchstens {high}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>Reset {title} to its default</source>
            <translation>{title} auf den Standard zurücksetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/row.py" />
            <source>default {default}</source>
            <translation>Standard {default}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Discard</source>
            <translation>Verwerfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Show the setting that is wrong</source>
            <translation>Die fehlerhafte Einstellung zeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source> Open groups keep the grid they were opened with.</source>
            <translation> Offene Gruppen behalten das Grid, mit dem sie eröffnet wurden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Profile {split}</source>
            <translation>Profil {split}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Save as version {next}</source>
            <translation>Als Version {next} speichern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../../src/execution_engine/domain/facts.py" />
            <source>Trading</source>
            <translation>Handel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Pool &amp; queue</source>
            <translation>Pool &amp; Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Exchanges</source>
            <translation>Börsen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Webhook &amp; tunnel</source>
            <translation>Webhook &amp; Tunnel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Notifications</source>
            <translation>Benachrichtigungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Data &amp; backups</source>
            <translation>Daten &amp; Sicherungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Appearance</source>
            <translation>Darstellung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/template_panel.py" />
            <source>Start from a template</source>
            <translation>Mit einer Vorlage beginnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/template_panel.py" />
            <source>nothing is saved before you say so</source>
            <translation>nichts wird gespeichert, bevor Sie es sagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/template_panel.py" />
            <source>Apply</source>
            <translation>Übernehmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/template_panel.py" />
            <source>Take the values of {template} into the forms</source>
            <translation>Die Werte von {template} in die Felder übernehmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>the values it began with</source>
            <translation>die Anfangswerte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Saved</source>
            <translation>Gespeichert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>How</source>
            <translation>Wie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>What changed</source>
            <translation>Was sich änderte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Versions of the settings</source>
            <translation>Versionen der Einstellungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Compare with</source>
            <translation>Vergleichen mit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Restore…</source>
            <translation>Wiederherstellen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>the one before it</source>
            <translation>der vorigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>the newest</source>
            <translation>der neuesten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>compared with</source>
            <translation>verglichen mit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Restoring saves a new version; none is ever lost.</source>
            <translation>Wiederherstellen speichert eine neue Version; keine geht je verloren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Restore version {number}…</source>
            <translation>Version {number} wiederherstellen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>version {number}</source>
            <translation>Version {number}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/versions.py" />
            <source>{count} from version {one} to {two}</source>
            <translation>{count} von Version {one} zu {two}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>Worst case</source>
            <translation>Schlimmster Fall</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>{amount} per pyramid{lever} × {pyramids} pyramids × {groups} groups = {amount_2} USD</source>
            <translation>{amount} je Pyramide{lever} × {pyramids} Pyramiden × {groups} Gruppen = {amount_2} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Worst case: leg {amount}, pyramid {amount_2}, group {amount_3}, all {groups} groups {amount_4} USD, {times} × your capital</source>
            <translation>Schlimmster Fall: Stufe {amount}, Pyramide {amount_2}, Gruppe {amount_3}, alle {groups} Gruppen {amount_4} USD, {times} × Ihr Kapital</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Use split</source>
            <translation>Kapital aufteilen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Heaviest leg</source>
            <translation>Schwerste Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Per pyramid</source>
            <translation>Je Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Per group</source>
            <translation>Je Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>All groups</source>
            <translation>Alle Gruppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Now in force</source>
            <translation>Derzeit gültig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>, {leverage} × leverage in it</source>
            <translation>, darin Hebel {leverage} ×</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Let the pyramids share a group's capital</source>
            <translation>Die Pyramiden das Kapital einer Gruppe teilen lassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>{capital} USD is set as capital.</source>
            <translation>Als Kapital sind {capital} USD eingestellt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source>{times} × your capital</source>
            <translation>{times} × Ihr Kapital</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source> Leverage of {leverage} × is in it.</source>
            <translation> Ein Hebel von {leverage} × ist enthalten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/settings/worst.py" />
            <source> With “split”, a group never spends more than {amount} USD.</source>
            <translation> Mit Aufteilung gibt eine Gruppe nie mehr als {amount} USD aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <source>with real money</source>
            <translation>mit echtem Geld</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <source>Replay alert</source>
            <translation>Alarm erneut senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <source>Replay as a new alert?</source>
            <translation>Als neuen Alarm erneut senden?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <source>Replay</source>
            <translation>Erneut senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <source>on {mode}</source>
            <translation>auf {mode}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <source>It is marked as a replay and trades {where} now.</source>
            <translation>Er wird als erneut gesendet markiert und handelt jetzt {where}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <source>Checks</source>
            <translation>Prüfungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/asking.py" />
            <source>its age and earlier copies do not count; every other rule does</source>
            <translation>sein Alter und frühere Kopien zählen nicht; alle anderen Regeln schon</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Last 7 d</source>
            <translation>Letzte 7 Tage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Everything</source>
            <translation>Alles</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Symbol, reason, id</source>
            <translation>Symbol, Grund, ID</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Outcome</source>
            <translation>Ergebnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>All outcomes</source>
            <translation>Alle Ergebnisse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Acted on</source>
            <translation>Umgesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Still working</source>
            <translation>Noch in Arbeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Write a message for TradingView</source>
            <translation>Eine Nachricht für TradingView verfassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>alerts</source>
            <translation>Alarme</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>refused request</source>
            <translation>abgelehnte Anfrage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>refused requests</source>
            <translation>abgelehnte Anfragen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/list.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Alerts</source>
            <translation>Alarme</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Refused requests</source>
            <translation>Abgelehnte Anfragen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>{acted} acted on</source>
            <translation>{acted} umgesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>{rejected} rejected</source>
            <translation>{rejected} abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/bar.py" />
            <source>{failed} failed</source>
            <translation>{failed} fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Pyramid</source>
            <translation>Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Reversal</source>
            <translation>Umkehr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>waits for its account, a price or a balance</source>
            <translation>wartet auf sein Konto, einen Preis oder ein Guthaben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>the position is being closed</source>
            <translation>die Position wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>its orders are on their way</source>
            <translation>seine Orders sind unterwegs</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Received</source>
            <translation>Eingang</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Type</source>
            <translation>Art</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Reason</source>
            <translation>Grund</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>webhook “{token}”</source>
            <translation>Webhook „{token}“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Replay of alert {replay_of}</source>
            <translation>Alarm {replay_of}, erneut gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/message.py" />
            <source>as received, secret hidden</source>
            <translation>wie empfangen, Geheimnis verborgen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/message.py" />
            <source>Message as received</source>
            <translation>Nachricht wie empfangen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/page.py" />
            <source>Alerts and story</source>
            <translation>Alarme und Ablauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/page.py" />
            <source>No alert matches.</source>
            <translation>Kein Alarm passt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/page.py" />
            <source>No alert yet. Make one with the composer, or send a test alert.</source>
            <translation>Noch kein Alarm. Verfassen Sie einen oder senden Sie einen Testalarm.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/page.py" />
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Replayed</source>
            <translation>Erneut gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Not JSON</source>
            <translation>Kein JSON</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>No or wrong secret</source>
            <translation>Kein oder falsches Geheimnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Not allowed</source>
            <translation>Nicht erlaubt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Too large</source>
            <translation>Zu groß</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Not valid</source>
            <translation>Ungültig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Too many failures</source>
            <translation>Zu viele Fehlversuche</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Errors</source>
            <translation>Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Source</source>
            <translation>Quelle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Body</source>
            <translation>Inhalt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>No request was refused.</source>
            <translation>Keine Anfrage wurde abgelehnt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Request</source>
            <translation>Anfrage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Check…</source>
            <translation>Prüfen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Refused requests and one of them</source>
            <translation>Abgelehnte Anfragen und eine davon</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Look for what is wrong with it, line by line</source>
            <translation>Zeile für Zeile suchen, was daran falsch ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Select a request to see why it was refused.</source>
            <translation>Wählen Sie eine Anfrage, um zu sehen, warum sie abgelehnt wurde.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>No reason was given.</source>
            <translation>Kein Grund wurde genannt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source> · token “{token}”</source>
            <translation> · Token „{token}“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/refused.py" />
            <source>answered {status}{more}{token}</source>
            <translation>beantwortet mit {status}{more}{token}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Buy</source>
            <translation>Kauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Sell</source>
            <translation>Verkauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Emergency</source>
            <translation>Notfall</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>buy market order</source>
            <translation>Market-Kauforder</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>buy market orders</source>
            <translation>Market-Kauforders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>sell market order</source>
            <translation>Market-Verkaufsorder</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>sell market orders</source>
            <translation>Market-Verkaufsorders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Older than the limit of entries; exits are carried out all the same.</source>
            <translation>Älter als das Limit für Einstiege; Ausstiege werden trotzdem ausgeführt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Classified</source>
            <translation>Eingeordnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>first pyramid</source>
            <translation>erste Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Decided</source>
            <translation>Entschieden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Into the queue.</source>
            <translation>In die Warteschlange.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Open legs are cancelled, what is held is closed at market.</source>
            <translation>Offene Stufen werden storniert, der Bestand wird zum Marktpreis geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Nothing was ordered.</source>
            <translation>Nichts wurde geordert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>Nothing had to be ordered.</source>
            <translation>Nichts musste geordert werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>accepted by the exchange</source>
            <translation>von der Börse angenommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>on the way to the exchange</source>
            <translation>unterwegs zur Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Fills</source>
            <translation>Ausführungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{number} on {account}, grid “{grid_name}”</source>
            <translation>{number} auf {account}, Grid „{grid_name}“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>all {count} fit the rules of {symbol}</source>
            <translation>{count}, alle nach den Regeln von {symbol}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>market</source>
            <translation>Markt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{at} {name}: {amount} at {price}{fee}</source>
            <translation>{at} {name}: {amount} zu {price}{fee}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>now</source>
            <translation>jetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>average entry {avg_entry}</source>
            <translation>Ø Einstieg {avg_entry}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>unrealized {amount} USD on this pyramid</source>
            <translation>unrealisiert {amount} USD auf dieser Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>from {source}</source>
            <translation>von {source}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>token “{token}”</source>
            <translation>Token „{token}“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>sent {span} before</source>
            <translation>{span} vorher gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>A replay of alert {replay_of}.</source>
            <translation>Alarm {replay_of}, erneut gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>, at most {count}</source>
            <translation>, höchstens {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>It waits for its account, a price or a balance.</source>
            <translation>Er wartet auf sein Konto, einen Preis oder ein Guthaben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>pyramid {pyramid}</source>
            <translation>Pyramide {pyramid}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>For the group of {name}.</source>
            <translation>Für die Gruppe von {name}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{count} of </source>
            <translation>{count} von </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>leg {leg}</source>
            <translation>Stufe {leg}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source> of {whole}</source>
            <translation> von {whole}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>, fee {fee} {fee_currency}</source>
            <translation>, Gebühr {fee} {fee_currency}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>earlier order</source>
            <translation>frühere Order</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>earlier orders</source>
            <translation>frühere Orders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>realized {amount} USD on this pyramid</source>
            <translation>realisiert {amount} USD auf dieser Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} has no open group</source>
            <translation>{name} hat keine offene Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} has an open {side} group</source>
            <translation>{name} hat eine offene {side}-Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} has all its pyramids</source>
            <translation>{name} hat alle Pyramiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} is to be closed</source>
            <translation>{name} soll geschlossen werden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} turns {side}</source>
            <translation>{name} dreht auf {side}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>{where}, base {base}, {capital} USD; {fits}</source>
            <translation>{where}, Basis {base}, {capital} USD; {fits}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>earlier fill</source>
            <translation>frühere Ausführung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story.py" />
            <source>earlier fills</source>
            <translation>frühere Ausführungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>the signal's</source>
            <translation>Signalpreis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>its limit</source>
            <translation>Limit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>its target</source>
            <translation>Ziel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>Slippage: none, filled as planned</source>
            <translation>Slippage: keine, wie geplant ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>Slippage: {percent} than planned{amount}</source>
            <translation>Slippage: {percent} als geplant{amount}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>accepted {span} after it was sent</source>
            <translation>{span} nach dem Senden angenommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>at {said}</source>
            <translation>genau {said}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>{percent} than {said}</source>
            <translation>{percent} als {said}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>{percent} better</source>
            <translation>{percent} besser</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>{percent} worse</source>
            <translation>{percent} schlechter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_view.py" />
            <source>Story of the alert</source>
            <translation>Ablauf des Alarms</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/story_view.py" />
            <source>Select an alert to read its story.</source>
            <translation>Wählen Sie einen Alarm, um seinen Ablauf zu lesen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Story</source>
            <translation>Ablauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/telling.py" />
            <source>List</source>
            <translation>Liste</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Replay…</source>
            <translation>Erneut senden…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Story and message</source>
            <translation>Ablauf und Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Back to the list (Esc)</source>
            <translation>Zurück zur Liste (Esc)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/signals/telling.py" />
            <source>{timeframe} · {side}alert {alert}</source>
            <translation>{timeframe} · {side}Alarm {alert}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/test_alert.py" />
            <source>A long entry on 15m at the market, through the same door as a real alert. It trades on paper.</source>
            <translation>Ein Long-Einstieg auf 15m als Market-Order, auf demselben Weg wie ein echter Alarm. Gehandelt wird im Paper-Trading.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/test_alert.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Send test alert</source>
            <translation>Testalarm senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/test_alert.py" />
            <source>Show its story</source>
            <translation>Ablauf anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/test_alert.py" />
            <source>Send a test alert?</source>
            <translation>Testalarm senden?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/test_alert.py" />
            <source>Accepted as alert {alert_id}; it is being decided.</source>
            <translation>Als Alarm {alert_id} angenommen; über ihn wird entschieden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Your own values are in force; a template takes their place.</source>
            <translation>Es gelten Ihre eigenen Werte; eine Vorlage ersetzt sie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Capital and positions</source>
            <translation>Kapital und Plätze</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>from a template</source>
            <translation>aus einer Vorlage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>How much, in how many positions?</source>
            <translation>Wie viel Kapital, in wie vielen Positionen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>A template is a set of values that fit together; each of them can be changed in Settings. The capital is divided evenly: so much may one position have.</source>
            <translation>Eine Vorlage ist ein Satz aufeinander abgestimmter Werte; jeder davon lässt sich in den Einstellungen ändern. Das Kapital wird gleichmäßig geteilt; daraus folgt, wie viel eine Position haben darf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Template</source>
            <translation>Vorlage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/page.py" />
            <location filename="../../src/execution_engine/ui/pages/welcome/step.py" />
            <source>Continue</source>
            <translation>Weiter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Save and continue</source>
            <translation>Speichern und weiter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Positions at once</source>
            <translation>Positionen gleichzeitig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>{count} at once</source>
            <translation>{count} gleichzeitig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>more alerts wait in the queue</source>
            <translation>weitere Alarme warten in der Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Enter a number.</source>
            <translation>Geben Sie eine Zahl ein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>; {amount} are free on paper</source>
            <translation>; im Paper-Trading sind {amount} frei</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>position</source>
            <translation>Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>positions</source>
            <translation>Positionen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>{pyramids}, one capital for all</source>
            <translation>{pyramids}, ein Kapital für alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>{pyramids}, each with its own capital</source>
            <translation>{pyramids}, jede mit eigenem Kapital</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Worst case, with every position, pyramid and leg filled: {amount} USD, {times} × the capital.</source>
            <translation>Im ungünstigsten Fall, wenn jede Position, Pyramide und Stufe ausgeführt ist: {amount} USD, {times} × das Kapital.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>{amount} USD for each position{balance}</source>
            <translation>{amount} USD je Position{balance}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>your body secret</source>
            <translation>Ihr Geheimnis in der Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1.  In TradingView open the chart, press Alt+A for a new alert and choose its condition.
2.  Settings, Message: replace everything with the message.
3.  Notifications: tick Webhook URL and paste the URL. Then press Create.</source>
            <translation>1.  Öffnen Sie in TradingView den Chart, drücken Sie Alt+A für einen neuen Alarm und wählen Sie die Bedingung.
2.  Einstellungen, Nachricht: Ersetzen Sie alles durch die Nachricht.
3.  Benachrichtigungen: Webhook-URL ankreuzen und die URL einfügen. Dann auf „Erstellen“ klicken.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>URL and message</source>
            <translation>URL und Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>What TradingView has to know</source>
            <translation>Was TradingView wissen muss</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Put these two into TradingView's alert dialog. Choose what the alert is made of and the chart's timeframe: in price alerts TradingView does not say the timeframe, so it is written out.</source>
            <translation>Tragen Sie beides in den Alarmdialog von TradingView ein. Wählen Sie, was den Alarm auslöst, und den Zeitrahmen des Charts: Bei Preisalarmen nennt TradingView den Zeitrahmen nicht, deshalb steht er fest in der Nachricht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Price, long</source>
            <translation>Preis, Long</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Price, short</source>
            <translation>Preis, Short</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Price, exit</source>
            <translation>Preis, Ausstieg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1 minute</source>
            <translation>1 Minute</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>5 minutes</source>
            <translation>5 Minuten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>15 minutes</source>
            <translation>15 Minuten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>30 minutes</source>
            <translation>30 Minuten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1 hour</source>
            <translation>1 Stunde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>4 hours</source>
            <translation>4 Stunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1 day</source>
            <translation>1 Tag</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1 week</source>
            <translation>1 Woche</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Make a webhook</source>
            <translation>Webhook anlegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Timeframe of the chart</source>
            <translation>Zeitrahmen des Charts</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>it contains a secret</source>
            <translation>enthält ein Geheimnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>paste it as it is, with its {{placeholders}}</source>
            <translation>unverändert einfügen, samt {{placeholders}}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>There is no webhook: every alert is refused.</source>
            <translation>Es gibt keinen Webhook: Jeder Alarm wird abgelehnt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Show the webhook URL</source>
            <translation>Webhook-URL anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>What the alert is made of</source>
            <translation>Was den Alarm auslöst</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Alert of</source>
            <translation>Auslöser</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>They can be kept all the same: the account stays disabled until they were checked.</source>
            <translation>Sie können trotzdem aufbewahrt werden: Das Konto bleibt deaktiviert, bis sie geprüft sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>This key may withdraw. Make one without that right; it will not be saved.</source>
            <translation>Dieser Schlüssel darf auszahlen und wird nicht gespeichert. Erstellen Sie einen ohne dieses Recht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Keys</source>
            <translation>Schlüssel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>checked while you type</source>
            <translation>sofort geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Which account may the engine use?</source>
            <translation>Welches Konto darf die Engine nutzen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Make a key on the exchange's site that may read and trade, not withdraw, bound to this computer's address if it has a fixed one. It is checked while you type and kept, encrypted, once you add it.</source>
            <translation>Erstellen Sie auf der Website der Börse einen Schlüssel, der lesen und handeln, aber nicht auszahlen darf, gebunden an die Adresse dieses Computers, falls sie fest ist. Er wird bei der Eingabe geprüft und verschlüsselt aufbewahrt, sobald Sie ihn hinzufügen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>not known yet</source>
            <translation>noch nicht bekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Can read balances</source>
            <translation>Darf Guthaben lesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Can trade</source>
            <translation>Darf handeln</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Cannot withdraw</source>
            <translation>Darf nicht auszahlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Account mode fits</source>
            <translation>Kontomodus passt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>yes</source>
            <translation>ja</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>no</source>
            <translation>nein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>the exchange does not tell</source>
            <translation>die Börse gibt es nicht an</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>The keys are kept and the exchange is asked about them…</source>
            <translation>Die Schlüssel werden aufbewahrt und bei der Börse geprüft…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Check</source>
            <translation>Prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>The exchange could not be asked.</source>
            <translation>Die Börse war nicht erreichbar.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>The exchange is asked…</source>
            <translation>Die Börse wird abgefragt…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Once the keys are complete.</source>
            <translation>Sobald die Schlüssel vollständig sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>What one alert does</source>
            <translation>Was ein Alarm bewirkt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Targets</source>
            <translation>Ziele</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>+{aggregate_percent}{gap}% over the average entry</source>
            <translation>+{aggregate_percent}{gap}% über dem Ø Einstieg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source> down to {limits}</source>
            <translation> bis {limits}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>+{first}{gap}% on each leg</source>
            <translation>+{first}{gap}% auf jeder Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>{words}, or {whole}</source>
            <translation>{words} oder {whole}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>{symbol} {example_time}, long, {base}</source>
            <translation>{symbol} {example_time}, long, {base}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>{amount} {quote} at most</source>
            <translation>Höchstens {amount} {quote}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>of {amount} per pyramid</source>
            <translation>von {amount} je Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>+{first}{gap}% on leg 0, +{rest}{gap}% on the others</source>
            <translation>+{first}{gap}% auf Stufe 0, +{rest}{gap}% auf den übrigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>+{first} to +{first_2}{gap}% by leg</source>
            <translation>+{first} bis +{first_2}{gap}% je nach Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>1 at market, {count}</source>
            <translation>1 Market-Order, {count}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/page.py" />
            <source>not needed on paper</source>
            <translation>hier nicht nötig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/page.py" />
            <location filename="../../src/execution_engine/ui/places.py" />
            <source>First steps</source>
            <translation>Erste Schritte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/page.py" />
            <source>Skip the guide</source>
            <translation>Einführung überspringen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/page.py" />
            <source>Back</source>
            <translation>Zurück</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/page.py" />
            <source>Skip this step</source>
            <translation>Schritt überspringen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/page.py" />
            <source>Close the guide</source>
            <translation>Einführung schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>Nothing is traded before you send the test alert. Every choice can be changed later.</source>
            <translation>Bevor Sie den Testalarm senden, wird nichts gehandelt. Jede Wahl lässt sich später ändern.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>Steps</source>
            <translation>Schritte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>First steps, about three minutes</source>
            <translation>Erste Schritte, etwa drei Minuten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>not done yet</source>
            <translation>noch nicht erledigt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>Step {at} of {count}, {text}: {about}, {state}</source>
            <translation>Schritt {at} von {count}, {text}: {about}, {state}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/step.py" />
            <source>chosen in the first steps</source>
            <translation>in den ersten Schritten gewählt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/step.py" />
            <source>Save these values?</source>
            <translation>Diese Werte speichern?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Alert received</source>
            <translation>Alarm empfangen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Orders at the exchange</source>
            <translation>Orders an der Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Test alert</source>
            <translation>Testalarm</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>opens a paper position</source>
            <translation>eröffnet auf Paper</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Watch one alert from end to end</source>
            <translation>Einen Alarm von Anfang bis Ende verfolgen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>A long entry on 15 minutes at the market, through the same door as a real alert. It trades on paper, whatever you chose before.</source>
            <translation>Ein Long-Einstieg auf 15 Minuten als Market-Order, auf demselben Weg wie ein echter Alarm. Gehandelt wird im Paper-Trading, gleich was Sie zuvor gewählt haben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Send another</source>
            <translation>Noch einen senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>What becomes of it</source>
            <translation>Was daraus wird</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <location filename="../../src/execution_engine/domain/rows.py" />
            <source>live</source>
            <translation>live</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Go to Positions</source>
            <translation>Zu den Positionen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>its orders are on the way</source>
            <translation>seine Orders sind unterwegs</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>{count} of {count_2} accepted</source>
            <translation>{count} von {count_2} angenommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>; the others wait for lower prices</source>
            <translation>; die übrigen warten auf niedrigere Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>stored</source>
            <translation>gespeichert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>not sent yet</source>
            <translation>noch nicht gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>alert {alert}, {time}, {symbol} {timeframe}</source>
            <translation>Alarm {alert}, {time}, {symbol} {timeframe}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>it waits for a price and the balance</source>
            <translation>er wartet auf einen Preis und das Guthaben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>the first one waits for the price</source>
            <translation>die erste wartet auf ihren Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>none</source>
            <translation>keine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>{filled} of {count} filled{rest}</source>
            <translation>{filled} von {count} ausgeführt{rest}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>{open_quantity} held, on average at {entry}</source>
            <translation>{open_quantity} gehalten, Ø Einstieg {entry}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>not yet</source>
            <translation>noch nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>{symbol} {timeframe} is open on paper: {held}</source>
            <translation>{symbol} {timeframe} ist im Paper-Trading offen: {held}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Paper or exchange</source>
            <translation>Paper oder Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>where orders go</source>
            <translation>wohin die Orders gehen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Where should orders go?</source>
            <translation>Wohin sollen die Orders gehen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>TradingView sends an alert, the engine turns it into a grid of limit orders, takes profit, and closes. Start on paper and watch a whole trade without risk.</source>
            <translation>TradingView sendet einen Alarm, die Engine macht daraus ein Grid von Limit-Orders, nimmt Gewinne mit und schließt. Beginnen Sie im Paper-Trading und verfolgen Sie einen ganzen Trade ohne Risiko.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Auto: live, or synthetic offline</source>
            <translation>Auto: live, offline synthetisch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Live prices of the exchanges</source>
            <translation>Live-Preise der Börsen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Synthetic market, works offline</source>
            <translation>Synthetischer Markt, auch offline</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Manual: you set every price</source>
            <translation>Manuell: Sie setzen jeden Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Prices for paper</source>
            <translation>Preise für Paper</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Everything behaves as it will with real orders. You can add an exchange at any time in Settings, Exchanges.</source>
            <translation>Alles verhält sich wie später mit echten Orders. Eine Börse können Sie jederzeit unter Einstellungen, Börsen hinzufügen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Real exchange</source>
            <translation>Echte Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>You need an API key with reading and trading rights. The next step asks for it; the test alert at the end still trades on paper.</source>
            <translation>Sie brauchen einen API-Schlüssel mit Lese- und Handelsrechten. Der nächste Schritt fragt danach; der Testalarm am Ende wird dennoch im Paper-Trading gehandelt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Continue with paper</source>
            <translation>Weiter mit Paper</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Continue with an exchange</source>
            <translation>Weiter mit einer Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Fees, filters, partial fills and delays as on a real exchange</source>
            <translation>Gebühren, Filter, Teilausführungen und Verzögerungen wie an einer echten Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>No account, no keys, no network needed</source>
            <translation>Kein Konto, keine Schlüssel, kein Netz nötig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>recommended to start</source>
            <translation>zum Einstieg empfohlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Binance, Bybit, OKX or KuCoin, spot or USDT perpetuals</source>
            <translation>Binance, Bybit, OKX oder KuCoin, Spot oder USDT-Perpetuals</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Keys are checked before they are saved, and stored encrypted</source>
            <translation>Schlüssel werden vor dem Speichern geprüft und verschlüsselt abgelegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>A key that may withdraw is refused</source>
            <translation>Ein Schlüssel, der auszahlen darf, wird abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>can be changed later</source>
            <translation>lässt sich später ändern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/pages/welcome/where.py" />
            <source>{start} USD of play money, spot and perpetuals</source>
            <translation>{start} USD Spielgeld, Spot und Perpetuals</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Disabled</source>
            <translation>Deaktiviert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Reading</source>
            <translation>Wird gelesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Error</source>
            <translation>Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>keys fit</source>
            <translation>Schlüssel passen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Accounts</source>
            <translation>Konten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>keys are kept encrypted, and checked daily</source>
            <translation>Schlüssel werden verschlüsselt aufbewahrt und täglich geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Add account…</source>
            <translation>Konto hinzufügen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Check keys now</source>
            <translation>Schlüssel jetzt prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Enter other keys…</source>
            <translation>Andere Schlüssel eingeben…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Make it the default</source>
            <translation>Als Standard festlegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Enable</source>
            <translation>Aktivieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Disable</source>
            <translation>Deaktivieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Open nothing more on {name}</source>
            <translation>Auf {name} nichts mehr eröffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Let trade: {name}</source>
            <translation>Handeln lassen: {name}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>practice: no keys, no real money</source>
            <translation>Übung: keine Schlüssel, kein echtes Geld</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>keys not checked yet</source>
            <translation>Schlüssel noch nicht geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>checked {span}</source>
            <translation>geprüft {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>whether they may withdraw the exchange does not tell</source>
            <translation>ob sie auszahlen dürfen, gibt die Börse nicht an</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>cannot withdraw</source>
            <translation>dürfen nicht auszahlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>bound to addresses</source>
            <translation>an Adressen gebunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>not bound to an address</source>
            <translation>an keine Adresse gebunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>have ended</source>
            <translation>sind abgelaufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>{exchange} is asked about the keys of {name}…</source>
            <translation>{exchange} wird zu den Schlüsseln von {name} abgefragt…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Account {shown}</source>
            <translation>Konto {shown}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>Let {shown} trade</source>
            <translation>{shown} handeln lassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>More about {shown}</source>
            <translation>Mehr zu {shown}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts.py" />
            <source>end on {expires_at}</source>
            <translation>laufen am {expires_at} ab</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/adapters/security/pasted.py" />
            <source>API key</source>
            <translation>API-Schlüssel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/adapters/security/pasted.py" />
            <source>API secret</source>
            <translation>API-Geheimnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Passphrase</source>
            <translation>Passphrase</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Live: real money</source>
            <translation>Live: echtes Geld</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Demo: the exchange's practice account</source>
            <translation>Demo: das Übungskonto der Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Testnet: the exchange's test system</source>
            <translation>Testnet: das Testsystem der Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Paper: practice inside this program, no keys</source>
            <translation>Paper: Übung in diesem Programm, ohne Schlüssel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Spot</source>
            <translation>Spot</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Make keys that may read and trade, not withdraw, bound to this computer's address if it has a fixed one. The account trades once you enable it.</source>
            <translation>Erstellen Sie Schlüssel, die lesen und handeln, aber nicht auszahlen dürfen, gebunden an die Adresse dieses Computers, falls sie fest ist. Das Konto handelt, sobald Sie es aktivieren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>They take the place of those it has, and are checked at once.</source>
            <translation>Sie ersetzen die bisherigen und werden sofort geprüft.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Look at the keys on the exchange's site first: if they may withdraw, make others.</source>
            <translation>Sehen Sie zuerst auf der Website der Börse nach: Dürfen die Schlüssel auszahlen, erstellen Sie andere.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Enable account</source>
            <translation>Konto aktivieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Remove account</source>
            <translation>Konto entfernen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Add account</source>
            <translation>Konto hinzufügen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Add and check</source>
            <translation>Hinzufügen und prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/target_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Name</source>
            <translation>Name</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Mode</source>
            <translation>Modus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Save and check</source>
            <translation>Speichern und prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>From now on</source>
            <translation>Ab jetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>its alerts become orders; what it holds is read first</source>
            <translation>werden seine Alarme zu Orders; zuerst wird sein Bestand gelesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>It cannot withdraw: enable</source>
            <translation>Kann nicht auszahlen: aktivieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>The vault is locked; this opens it.</source>
            <translation>Der Tresor ist gesperrt; dies öffnet ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>passphrase</source>
            <translation>Passphrase</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Perpetuals</source>
            <translation>Perpetuals</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>leverage and margin mode are set as its settings say</source>
            <translation>Hebel und Margin-Modus werden nach den Einstellungen des Kontos gesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Withdrawals</source>
            <translation>Auszahlungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Let {name} trade?</source>
            <translation>{name} handeln lassen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Remove {account} and forget its keys?</source>
            <translation>{account} entfernen und die Schlüssel löschen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>This computer has no keyring. A master password keeps your keys; lost, they have to be entered again, nothing else is lost.</source>
            <translation>Dieser Computer hat keinen Schlüsselbund. Ein Master-Passwort schützt Ihre Schlüssel; ohne es müssen sie neu eingegeben werden, sonst geht nichts verloren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Spaces and line breaks around or in the {what} are taken out.</source>
            <translation>Leerzeichen und Zeilenumbrüche um oder in „{what}“ werden entfernt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Keys of {account}</source>
            <translation>Schlüssel von {account}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Its keys</source>
            <translation>Die Schlüssel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>are deleted from the vault; on the exchange they stay until you delete them there</source>
            <translation>werden aus dem Tresor gelöscht; an der Börse bleiben sie, bis Sie sie dort löschen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Its history</source>
            <translation>Der Verlauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>stays, under its name</source>
            <translation>bleibt unter seinem Namen erhalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>{exchange} does not tell whether these keys can take money out</source>
            <translation>{exchange} gibt nicht an, ob diese Schlüssel Geld abziehen können</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Done in this window.</source>
            <translation>In diesem Fenster ausgeführt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Asked for by the command line.</source>
            <translation>Über die Kommandozeile angefordert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Brought about by what was sent to the webhook.</source>
            <translation>Ausgelöst durch das, was an den Webhook gesendet wurde.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Found by the daily check of the keys at their exchange.</source>
            <translation>Bei der täglichen Prüfung der Schlüssel an ihrer Börse festgestellt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Done by the engine itself.</source>
            <translation>Von der Engine selbst ausgeführt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Audit log</source>
            <translation>Prüfprotokoll</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>every sensitive act, each chained to the one before it</source>
            <translation>jeder sensible Vorgang, mit dem jeweils vorigen verkettet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Search the audit log</source>
            <translation>Prüfprotokoll durchsuchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Verify</source>
            <translation>Kette prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Nothing was written down yet.</source>
            <translation>Noch ist nichts verzeichnet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>The chain is being verified…</source>
            <translation>Die Kette wird geprüft…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>It was written before this was noted.</source>
            <translation>Geschrieben, bevor dies festgehalten wurde.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Act</source>
            <translation>Vorgang</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>Export the audit log</source>
            <translation>Prüfprotokoll exportieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>{shown} of </source>
            <translation>{shown} / </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>entry</source>
            <translation>Eintrag</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>entries</source>
            <translation>Einträge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>last: {newest} · {hash}…</source>
            <translation>letzter: {newest} · {hash}…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>{hash}
Noted elsewhere, it proves this log later.</source>
            <translation>{hash}
Anderswo notiert, belegt er später dieses Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>{time}
entry {entry}
{hash}</source>
            <translation>{time}
Eintrag {entry}
{hash}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source> And {count} more.</source>
            <translation> Und {count} weitere.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/audit.py" />
            <source>The chain holds from the first entry to the last, checked {at}.</source>
            <translation>Die Kette ist vom ersten bis zum letzten Eintrag intakt, geprüft {at}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>sound, just now</source>
            <translation>in Ordnung, soeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Last backup</source>
            <translation>Letzte Sicherung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Next backup</source>
            <translation>Nächste Sicherung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Folder</source>
            <translation>Ordner</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Size of the database</source>
            <translation>Größe der Datenbank</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Free on the disk</source>
            <translation>Frei auf dem Datenträger</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Set aside</source>
            <translation>Beiseitegelegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Restore a backup</source>
            <translation>Sicherung wiederherstellen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Database</source>
            <translation>Datenbank</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>its backups are made while the engine runs, and checked</source>
            <translation>Sicherungen entstehen im laufenden Betrieb und werden geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Back up now</source>
            <translation>Jetzt sichern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Check the database</source>
            <translation>Datenbank prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Restore a file…</source>
            <translation>Datei wiederherstellen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Export trades…</source>
            <translation>Trades exportieren…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>There is no backup yet.</source>
            <translation>Es gibt noch keine Sicherung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>never: switched off</source>
            <translation>nie: ausgeschaltet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>The database is being checked…</source>
            <translation>Die Datenbank wird geprüft…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>its state</source>
            <translation>dem Stand der Sicherung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Backups</source>
            <translation>Sicherungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>none yet</source>
            <translation>noch keine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>soon</source>
            <translation>bald</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>not checked</source>
            <translation>nicht geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>when it was made</source>
            <translation>bei der Erstellung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Put {name} in place of the database?</source>
            <translation>Die Datenbank durch {name} ersetzen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>in {span}</source>
            <translation>in {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Size</source>
            <translation>Größe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Made</source>
            <translation>Erstellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Checked</source>
            <translation>Geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>{path} is being checked…</source>
            <translation>{path} wird geprüft…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>the state of {time}</source>
            <translation>dem Stand vom {time}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>The engine stops for a moment and begins again with {when}.</source>
            <translation>Die Engine hält kurz an und beginnt neu mit {when}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>Since then</source>
            <translation>Seitdem</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>what came later is not in it; the present database is kept</source>
            <translation>was hinzukam, fehlt in der Sicherung; die jetzige Datenbank wird aufbewahrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>every exchange is read first; nothing is sent until you say so</source>
            <translation>zuerst wird jede Börse gelesen; nichts wird gesendet, bis Sie zustimmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>to what exchanges hold stand under While you were away</source>
            <translation>zum Bestand der Börsen stehen unter „Während Ihrer Abwesenheit“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>stay; settings and webhooks are those of the backup</source>
            <translation>bleiben; Einstellungen und Webhooks sind die der Sicherung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>The database is sound, every sum of money adds up, and the audit log is whole.</source>
            <translation>Die Datenbank ist in Ordnung, alle Geldsummen stimmen, und das Prüfprotokoll ist vollständig.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>This version of the program cannot read it</source>
            <translation>Diese Programmversion kann sie nicht lesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/backups.py" />
            <source>sound, and every sum adds up.</source>
            <translation>in Ordnung, alle Summen stimmen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/files.py" />
            <source>Table (*.csv);;JSON (*.json)</source>
            <translation>Tabelle (*.csv);;JSON (*.json)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/files.py" />
            <source>Backups (*.sqlite);;All files (*)</source>
            <translation>Sicherungen (*.sqlite);;Alle Dateien (*)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>measured</source>
            <translation>gemessen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>Alert → answer</source>
            <translation>Alarm → Antwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>received, stored, answered; TradingView waits 3 s at most</source>
            <translation>empfangen, gespeichert, beantwortet; TradingView wartet höchstens 3 s</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>Alert → order</source>
            <translation>Alarm → Order</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>received until the exchange has the order; not from the queue</source>
            <translation>vom Empfang, bis die Börse die Order hat; nicht aus der Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>Order → fill</source>
            <translation>Order → Ausführung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>order left until its fill is in the books, where it fills within a minute</source>
            <translation>vom Absenden der Order bis zur verbuchten Ausführung, sofern sie binnen einer Minute ausgeführt wird</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Latency</source>
            <translation>Latenz</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>of the last hour</source>
            <translation>der letzten Stunde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>Diagnostic bundle…</source>
            <translation>Diagnosepaket…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/latency.py" />
            <source>Write versions, settings and the newest log into a zip, without any secret</source>
            <translation>Versionen, Einstellungen und das neueste Protokoll in eine ZIP-Datei schreiben, ohne Geheimnisse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/passwords.py" />
            <source>New master password</source>
            <translation>Neues Master-Passwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/passwords.py" />
            <source>Strength</source>
            <translation>Stärke</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/passwords.py" />
            <source>Once more</source>
            <translation>Noch einmal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/passwords.py" />
            <source>{word}: {lasts} for somebody who has the file and many computers</source>
            <translation>{word}: {lasts} für jemanden mit der Datei und vielen Rechnern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/passwords.py" />
            <source>The two differ.</source>
            <translation>Beide stimmen nicht überein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/target_asking.py" />
            <source>Add target</source>
            <translation>Ziel hinzufügen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/target_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Add</source>
            <translation>Hinzufügen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/target_asking.py" />
            <source>Kind of target</source>
            <translation>Art des Ziels</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/target_asking.py" />
            <source>Who is to be told?</source>
            <translation>Wer soll benachrichtigt werden?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/target_asking.py" />
            <source>Kept encrypted in the vault.</source>
            <translation>Wird verschlüsselt im Tresor aufbewahrt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>As for all</source>
            <translation>Wie für alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Web address</source>
            <translation>Webadresse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>E-mail</source>
            <translation>E-Mail</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Nobody outside is told. Add Telegram, Discord, e-mail or another place.</source>
            <translation>Niemand außerhalb wird benachrichtigt. Fügen Sie Telegram, Discord, E-Mail oder Ähnliches hinzu.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>told outside of the window, by the rules below</source>
            <translation>benachrichtigt außerhalb des Fensters, nach den Regeln unten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Add target…</source>
            <translation>Ziel hinzufügen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Remove target</source>
            <translation>Ziel entfernen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Turn off</source>
            <translation>Ausschalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Send test</source>
            <translation>Test senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>nothing told yet since the start</source>
            <translation>seit dem Start noch nichts gemeldet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>target {name}: {field} changed in the window</source>
            <translation>Ziel {name}: {field} im Fenster geändert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Its address is deleted from the vault, and what waits for it is not sent.</source>
            <translation>Die Adresse wird aus dem Tresor gelöscht, und was dafür noch wartet, wird nicht gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>address unknown</source>
            <translation>Adresse unbekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Turn on</source>
            <translation>Einschalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source> · {lost} given up</source>
            <translation> · {lost} aufgegeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>{sent} told, the last {span}{lost}</source>
            <translation>{sent} gemeldet, zuletzt {span}{lost}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>A test is on its way to {name}…</source>
            <translation>Ein Test ist unterwegs zu {name}…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Tell {shown} nothing any more?</source>
            <translation>{shown} nicht mehr benachrichtigen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Target {shown}</source>
            <translation>Ziel {shown}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Least level that {shown} is told</source>
            <translation>Mindest-Level für {shown}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>{waiting} waiting · </source>
            <translation>{waiting} wartend · </translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Send {shown} a message now</source>
            <translation>{shown} jetzt eine Nachricht senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/targets.py" />
            <source>Remove {shown}…</source>
            <translation>{shown} entfernen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>Way in from outside</source>
            <translation>Zugang von außen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>TradingView sends to a public address only</source>
            <translation>TradingView sendet nur an eine öffentliche Adresse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>Start tunnel</source>
            <translation>Tunnel starten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>Check now</source>
            <translation>Jetzt prüfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>is being checked…</source>
            <translation>wird geprüft…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>copied; a webhook's whole URL is copied above</source>
            <translation>kopiert; die ganze Webhook-URL kopieren Sie oben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>To install one of them:</source>
            <translation>So installieren Sie eines davon:</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>Program that makes the tunnel</source>
            <translation>Programm für den Tunnel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>Copy the public address</source>
            <translation>Öffentliche Adresse kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>Stop tunnel</source>
            <translation>Tunnel stoppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>{path} changed in the window</source>
            <translation>{path} im Fenster geändert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Public address</source>
            <translation>Öffentliche Adresse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Program</source>
            <translation>Programm</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/tunnel.py" />
            <source>none; the local one is {local}</source>
            <translation>keine; die lokale ist {local}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Protects against: a stolen computer or disk, a copied folder, a backup in wrong hands; without the password none of them opens. Not against: a program that runs as you while the vault is open, or that reads what you type.</source>
            <translation>Schützt vor: gestohlenem Computer oder Datenträger, kopiertem Ordner, Sicherung in falschen Händen; ohne das Passwort lässt sich nichts davon öffnen. Nicht vor: einem Programm, das unter Ihrem Benutzer läuft, während der Tresor offen ist, oder das Ihre Eingaben mitliest.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Protects against: a copied folder or a backup in wrong hands, and a stolen disk as far as your login does. Not against: whoever is logged in as you, and any program that runs as you.</source>
            <translation>Schützt vor: kopiertem Ordner oder Sicherung in falschen Händen, und bei gestohlenem Datenträger so weit, wie Ihre Anmeldung schützt. Nicht vor: jedem, der unter Ihrem Benutzer angemeldet ist, und jedem Programm, das unter ihm läuft.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Either of the two opens it, so it protects as the weaker one does: not against whoever is logged in as you, nor any program that runs as you.</source>
            <translation>Jedes von beiden öffnet ihn, er schützt also nur so gut wie das schwächere: nicht vor jemandem, der unter Ihrem Benutzer angemeldet ist, und nicht vor Programmen, die unter ihm laufen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>It is made with the first keys. Then the system's keyring opens it, or a master password where there is no keyring or you prefer one.</source>
            <translation>Er entsteht mit den ersten Schlüsseln. Dann öffnet ihn der Schlüsselbund des Systems, oder ein Master-Passwort, wo es keinen Schlüsselbund gibt oder Sie eines vorziehen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Everything is encrypted anew; this takes a second…</source>
            <translation>Alles wird neu verschlüsselt; das dauert eine Sekunde…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>a master password or the system's keyring</source>
            <translation>ein Master-Passwort oder der Schlüsselbund des Systems</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>nothing in it yet</source>
            <translation>noch leer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>a master password</source>
            <translation>ein Master-Passwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Keys and secrets</source>
            <translation>Schlüssel und Geheimnisse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>AES-256-GCM, in one file</source>
            <translation>AES-256-GCM, in einer Datei</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Open…</source>
            <translation>Öffnen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Use the system's keyring…</source>
            <translation>Schlüsselbund des Systems verwenden…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Forget all keys…</source>
            <translation>Alle Schlüssel löschen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>The master password opens the vault from now on.</source>
            <translation>Ab jetzt öffnet das Master-Passwort den Tresor.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>The system's keyring opens the vault from now on.</source>
            <translation>Ab jetzt öffnet der Schlüsselbund des Systems den Tresor.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>The vault was deleted. Delete the keys on the exchanges, too.</source>
            <translation>Der Tresor wurde gelöscht. Löschen Sie die Schlüssel auch an den Börsen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>There are no keys yet, and so no vault.</source>
            <translation>Es gibt noch keine Schlüssel und daher keinen Tresor.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>the system's keyring</source>
            <translation>der Schlüsselbund des Systems</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Change password…</source>
            <translation>Passwort ändern…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>Use a master password…</source>
            <translation>Master-Passwort verwenden…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>This system has no keyring that could be used</source>
            <translation>Dieses System hat keinen verwendbaren Schlüsselbund</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>The vault is locked.</source>
            <translation>Der Tresor ist gesperrt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>The vault is open ({inside}); {locks} opens it.</source>
            <translation>Der Tresor ist offen ({inside}); {locks} öffnet ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault.py" />
            <source>The vault is locked; {locks} opens it.</source>
            <translation>Der Tresor ist gesperrt; {locks} öffnet ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>The vault is open.</source>
            <translation>Der Tresor ist offen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>It opens the vault at each start, and the window after it was locked. Lost, the keys have to be entered again; nothing else is lost. A start that nobody attends needs it in a file (--password-file).</source>
            <translation>Es öffnet den Tresor bei jedem Start, und das Fenster nach einer Sperre. Geht es verloren, müssen die Schlüssel neu eingegeben werden; sonst geht nichts verloren. Ein unbeaufsichtigter Start braucht es in einer Datei (--password-file).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>its keys and secrets</source>
            <translation>seine Schlüssel und Geheimnisse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Forget all keys</source>
            <translation>Alle Schlüssel löschen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Delete the vault with every key in it?</source>
            <translation>Den Tresor mit allen Schlüsseln löschen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Open the vault</source>
            <translation>Tresor öffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Open</source>
            <comment>to open it</comment>
            <translation>Öffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>The system's keyring is asked…</source>
            <translation>Der Schlüsselbund des Systems wird abgefragt…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>This takes half a second…</source>
            <translation>Das dauert eine halbe Sekunde…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Change the master password</source>
            <translation>Master-Passwort ändern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Use a master password</source>
            <translation>Master-Passwort verwenden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Use the system's keyring</source>
            <translation>Schlüsselbund des Systems verwenden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Use the keyring</source>
            <translation>Schlüsselbund verwenden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Until it is open, accounts with keys cannot be traded; alerts are stored.</source>
            <translation>Bis er offen ist, können Konten mit Schlüsseln nicht handeln; Alarme werden gespeichert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Change</source>
            <translation>Ändern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Use it</source>
            <translation>Verwenden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>The vault is opened without asking while you are logged in, so also at a start that nobody attends. Programs that run as you could ask the keyring as well, and a locked window is opened by whoever sits at this session.</source>
            <translation>Der Tresor öffnet sich ohne Rückfrage, solange Sie angemeldet sind, also auch bei einem unbeaufsichtigten Start. Auch Programme unter Ihrem Benutzer könnten den Schlüsselbund abfragen, und ein gesperrtes Fenster öffnet jeder, der an dieser Sitzung sitzt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>{keys} entries: keys, secrets, addresses</source>
            <translation>{keys} Einträge: Schlüssel, Geheimnisse, Adressen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Deleted</source>
            <translation>Gelöscht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>stay, and trade no more until their keys are entered again</source>
            <translation>bleiben, handeln aber erst wieder, wenn ihre Schlüssel neu eingegeben sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Open orders</source>
            <translation>Offene Orders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>stay on the exchange; positions are not looked after</source>
            <translation>bleiben an der Börse; Positionen werden nicht mehr betreut</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>On the exchange</source>
            <translation>An der Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>the keys stay valid until you delete them there</source>
            <translation>bleiben die Schlüssel gültig, bis Sie sie dort löschen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Present password</source>
            <translation>Jetziges Passwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/vault_asking.py" />
            <source>{inside} and the copy that was kept; there is no way back</source>
            <translation>{inside}, dazu die aufbewahrte Kopie; es gibt keinen Weg zurück</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Every account, those that are added later as well</source>
            <translation>Jedes Konto, auch später hinzugefügte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>all refused from now on, exits as well: the settings require it</source>
            <translation>werden ab jetzt alle abgelehnt, auch Ausstiege: Die Einstellungen verlangen es</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>that show only this secret are refused from now on, exits as well</source>
            <translation>die nur dieses Geheimnis vorweisen, werden ab jetzt abgelehnt, auch Ausstiege</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>is refused at once; alerts that use it are lost</source>
            <translation>wird sofort abgelehnt; Alarme, die sie nutzen, gehen verloren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>counts for 24 hours more</source>
            <translation>gilt noch 24 Stunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>New webhook URL</source>
            <translation>Neue Webhook-URL</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Make a new URL</source>
            <translation>Neue URL erzeugen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Revoke webhook</source>
            <translation>Webhook zurückziehen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Revoke</source>
            <translation>Zurückziehen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Only TradingView</source>
            <translation>Nur TradingView</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Take alerts from TradingView's addresses only?</source>
            <translation>Alarme nur von den Adressen von TradingView annehmen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Take only these</source>
            <translation>Nur diese zulassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Replace the {short}</source>
            <translation>{short} ersetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Set the {short}</source>
            <translation>{short} hinterlegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source> Alerts that still carry the old one are refused from then on.</source>
            <translation> Alarme, die noch das alte tragen, werden von da an abgelehnt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Secret</source>
            <translation>Geheimnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Make one up</source>
            <translation>Zufällig erzeugen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Allowed</source>
            <translation>Zugelassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>TradingView's four addresses; other senders are refused</source>
            <translation>die vier Adressen von TradingView; andere Absender werden abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>An address can be forged by programs on this machine; it is a filter, not a secret.</source>
            <translation>Programme auf diesem Rechner können eine Adresse fälschen; sie ist ein Filter, kein Geheimnis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Name, as of the strategy or the sender</source>
            <translation>Name, etwa der Strategie oder des Absenders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Replace</source>
            <translation>Ersetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Set</source>
            <translation>Hinterlegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Fill in 32 random letters; Copy shows what they are</source>
            <translation>32 zufällige Zeichen eintragen; über „Kopieren“ erfahren Sie sie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Remove the {short}</source>
            <translation>{short} entfernen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Forget the {short}?</source>
            <translation>{short} löschen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Give {name} a new URL?</source>
            <translation>{name} eine neue URL geben?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Revoke {token}?</source>
            <translation>{token} zurückziehen?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Sender</source>
            <translation>Absender</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>is read from the tunnel's header: 127.0.0.1 becomes a trusted proxy</source>
            <translation>wird aus dem Header des Tunnels gelesen: 127.0.0.1 wird vertrauenswürdiger Proxy</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Its alerts may use</source>
            <translation>Seine Alarme dürfen nutzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>This computer has no keyring. A master password keeps the secret; lost, it has to be set again, nothing else is lost.</source>
            <translation>Dieser Computer hat keinen Schlüsselbund. Ein Master-Passwort schützt das Geheimnis; ohne es muss das Geheimnis neu hinterlegt werden, sonst geht nichts verloren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>stay as they are and are looked after</source>
            <translation>bleiben, wie sie sind, und werden weiter betreut</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Old URL</source>
            <translation>Alte URL</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>To do</source>
            <translation>Zu tun</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>put the new one into TradingView's alerts</source>
            <translation>die neue in die Alarme von TradingView eintragen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Its URL</source>
            <translation>Seine URL</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>is refused from now on, exits as well; TradingView does not send them again</source>
            <translation>wird ab jetzt abgelehnt, auch für Ausstiege; TradingView sendet sie nicht noch einmal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>The vault is locked: what is set is neither shown nor compared. Alerts that need one of these secrets are asked to come again (503) until you open it.</source>
            <translation>Der Tresor ist gesperrt: Hinterlegtes wird weder angezeigt noch verglichen. Alarme, die eines dieser Geheimnisse brauchen, werden auf später verwiesen (503), bis Sie ihn öffnen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Body secret</source>
            <translation>Geheimnis in der Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <location filename="../../src/execution_engine/adapters/webhook/authentication.py" />
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>body secret</source>
            <translation>Geheimnis in der Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>the field “secret” of a message</source>
            <translation>das Feld „secret“ einer Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Senders write it into the field “secret” of their messages.</source>
            <translation>Absender schreiben es in das Feld „secret“ ihrer Nachrichten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>HMAC secret</source>
            <translation>HMAC-Geheimnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>signs the body, in the header X-Signature; TradingView cannot</source>
            <translation>signiert den Body, im Header X-Signature; TradingView kann das nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Senders sign each body with it, in the header X-Signature: sha256=&lt;HMAC-SHA256 of the body&gt;. TradingView cannot.</source>
            <translation>Absender signieren damit jeden Body, im Header X-Signature: sha256=&lt;HMAC-SHA256 des Bodys&gt;. TradingView kann das nicht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Secrets of senders</source>
            <translation>Geheimnisse der Absender</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>besides the URL; kept in the vault</source>
            <translation>zusätzlich zur URL; im Tresor aufbewahrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Open the vault…</source>
            <translation>Tresor öffnen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Replace…</source>
            <translation>Ersetzen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>unknown while the vault is locked</source>
            <translation>unbekannt, solange der Tresor gesperrt ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>It is encrypted and kept…</source>
            <translation>Es wird verschlüsselt und aufbewahrt…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Set…</source>
            <translation>Hinterlegen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>required, and not set: every alert is refused</source>
            <translation>verlangt, aber nicht hinterlegt: Jeder Alarm wird abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>not set</source>
            <translation>nicht hinterlegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Copied the {short}. Whoever has it may send alerts.</source>
            <translation>{short} kopiert. Wer es hat, darf Alarme senden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Show the {short}</source>
            <translation>{short} anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Copy the {short}</source>
            <translation>{short} kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Remove the {short}…</source>
            <translation>{short} entfernen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Webhooks</source>
            <translation>Webhooks</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>one for each strategy or sender; its URL is a secret</source>
            <translation>einer je Strategie oder Absender; seine URL ist ein Geheimnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Add webhook…</source>
            <translation>Webhook hinzufügen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Only TradingView…</source>
            <translation>Nur TradingView…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source> It is the local one: TradingView cannot reach 127.0.0.1.</source>
            <translation> Es ist die lokale: TradingView kann 127.0.0.1 nicht erreichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Rename…</source>
            <translation>Umbenennen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Accounts…</source>
            <translation>Konten…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>New URL, the old one counts 24 hours more…</source>
            <translation>Neue URL, die alte gilt noch 24 Stunden…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>New URL, refuse the old one at once…</source>
            <translation>Neue URL, die alte sofort ablehnen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Revoke…</source>
            <translation>Zurückziehen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Add webhook</source>
            <translation>Webhook hinzufügen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Rename webhook</source>
            <translation>Webhook umbenennen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Rename</source>
            <translation>Umbenennen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>never used</source>
            <translation>nie benutzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Refuse every sender but TradingView</source>
            <translation>Jeden Absender außer TradingView ablehnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>alerts from TradingView only</source>
            <translation>Alarme nur von TradingView</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>every account</source>
            <translation>jedes Konto</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Copied the URL of {name}. It contains a secret.{more}</source>
            <translation>URL von {name} kopiert. Sie enthält ein Geheimnis.{more}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Accounts of {name}</source>
            <translation>Konten von {name}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Webhook {shown}</source>
            <translation>Webhook {shown}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>used {span}</source>
            <translation>benutzt {span}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>old URL until {time} · {used}</source>
            <translation>alte URL bis {time} · {used}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Show the URL of {shown}</source>
            <translation>URL von {shown} anzeigen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>Copy the URL of {shown}</source>
            <translation>URL von {shown} kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/panels/webhooks.py" />
            <source>{names} only</source>
            <translation>nur {names}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <source>The risk engine does nothing.</source>
            <translation>Die Risiko-Engine tut nichts.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <source>An offset is under way.</source>
            <translation>Ein Ausgleich läuft.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <source>The engine is paused: no offset is begun.</source>
            <translation>Die Engine ist pausiert: Es wird kein Ausgleich begonnen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <source>It plans and sends nothing.</source>
            <translation>Sie plant, sendet aber nichts.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Rehearsal</source>
            <translation>Probelauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/risk_board.py" />
            <source>No offset is begun: {reason}.</source>
            <translation>Es wird kein Ausgleich begonnen: {reason}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/empty.py" />
            <source>Loading…</source>
            <translation>Wird geladen…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/header.py" />
            <source>Reset layout</source>
            <translation>Layout zurücksetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Copy as CSV</source>
            <translation>Als CSV kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Open the row, or do what its button does</source>
            <translation>Zeile öffnen oder ausführen, was ihre Schaltfläche tut</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Fold and unfold the row</source>
            <translation>Zeile ein- und ausklappen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Unfold everything below it</source>
            <translation>Alles darunter ausklappen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Open the menu of the row</source>
            <translation>Menü der Zeile öffnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Select several rows</source>
            <translation>Mehrere Zeilen auswählen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Select all rows</source>
            <translation>Alle Zeilen auswählen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Copy the selected rows with full precision</source>
            <translation>Ausgewählte Zeilen mit voller Genauigkeit kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/tables/views.py" />
            <source>Copy them as CSV, with headings</source>
            <translation>Als CSV mit Überschriften kopieren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/dialogs.py" />
            <source>Type {type_this} to go on</source>
            <translation>Zum Fortfahren {type_this} eingeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/fields.py" />
            <source>Clear</source>
            <translation>Leeren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/fields.py" />
            <source>Search</source>
            <translation>Suchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/marks.py" />
            <source>busy</source>
            <translation>arbeitet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/marks.py" />
            <source>{used} of {size} slots used</source>
            <translation>{used} von {size} Plätzen belegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/marks.py" />
            <source>{mode} mode</source>
            <translation>Modus {mode}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/notices.py" />
            <source>success</source>
            <translation>Erfolg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/notices.py" />
            <source>info</source>
            <translation>Hinweis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/notices.py" />
            <source>warning</source>
            <translation>Warnung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/notices.py" />
            <source>error</source>
            <translation>Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/ui/widgets/notices.py" />
            <source>{unseen} more in Logs</source>
            <translation>{unseen} weitere im Protokoll</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/window.py" />
            <source>public address</source>
            <translation>öffentliche Adresse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/window.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Tunnel</source>
            <translation>Tunnel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/window.py" />
            <source>Your data is as it was before the update</source>
            <translation>Ihre Daten sind wie vor der Aktualisierung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/window.py" />
            <source>{backup} was restored. Start Execution Engine again: it reads every exchange before anything trades.</source>
            <translation>{backup} wurde wiederhergestellt. Starten Sie Execution Engine erneut: Sie liest jede Börse, bevor etwas gehandelt wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/window.py" />
            <source>no public address</source>
            <translation>keine öffentliche Adresse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/window.py" />
            <source>{names} · {feed} prices</source>
            <translation>{names} · Preise: {feed}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>How much the engine trades with.</source>
            <translation>Womit die Engine handelt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Pool and queue</source>
            <translation>Pool und Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>How many groups may be open, and what waits for a place.</source>
            <translation>Wie viele Gruppen offen sein dürfen und was auf einen Platz wartet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>How a signal becomes legs.</source>
            <translation>Wie aus einem Signal Stufen werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Take profit</source>
            <translation>Take-Profit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>When a position is closed with a profit.</source>
            <translation>Wann eine Position mit Gewinn geschlossen wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Which alerts are acted on.</source>
            <translation>Auf welche Alarme reagiert wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>When a loser is closed and paid for by winners.</source>
            <translation>Wann ein Verlierer geschlossen und von Gewinnern bezahlt wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>How each account trades perpetuals.</source>
            <translation>Wie jedes Konto Perpetuals handelt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Where alerts arrive, and who may send them.</source>
            <translation>Wo Alarme ankommen und wer sie senden darf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>The way in from outside.</source>
            <translation>Der Zugang von außen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>How practice trading behaves.</source>
            <translation>Wie sich das Paper-Trading verhält.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>How orders are followed at the exchange.</source>
            <translation>Wie Orders an der Börse verfolgt werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>What is written down, and how long it is kept.</source>
            <translation>Was aufgezeichnet und wie lange es aufbewahrt wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Copies of the database that are made by themselves.</source>
            <translation>Kopien der Datenbank, die von selbst entstehen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>What is told outside of the window.</source>
            <translation>Was außerhalb des Fensters gemeldet wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>Updates</source>
            <translation>Aktualisierungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>New versions of the application.</source>
            <translation>Neue Versionen der Anwendung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>How the window looks.</source>
            <translation>Wie das Fenster aussieht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>This computer</source>
            <translation>Dieser Computer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>How the application lives on the desktop.</source>
            <translation>Wie sich die Anwendung auf dem Desktop verhält.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>What may be changed, and when the window locks itself.</source>
            <translation>Was geändert werden darf und wann sich das Fenster sperrt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The money the engine trades with; every group gets an equal part of it.</source>
            <translation>Das Geld, mit dem die Engine handelt; jede Gruppe erhält einen gleichen Teil davon.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Pyramid capital</source>
            <translation>Kapital je Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>full: every pyramid spends a group's whole capital. split: the pyramids share it.</source>
            <translation>full: Jede Pyramide setzt das ganze Kapital einer Gruppe ein. split: Die Pyramiden teilen es sich.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Full</source>
            <translation>Voll</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Split</source>
            <translation>Geteilt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>Largest order</source>
            <translation>Größte Order</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Largest notional of one entry order; 0 means no limit.</source>
            <translation>Größter Nominalwert einer Einstiegsorder; 0 heißt ohne Grenze.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Open groups at most</source>
            <translation>Max. offene Gruppen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How many position groups may be open at once.</source>
            <translation>Wie viele Positionsgruppen gleichzeitig offen sein dürfen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Pyramids at most</source>
            <translation>Max. Pyramiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How many entries one group may have.</source>
            <translation>Wie viele Einstiege eine Gruppe haben darf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Queue at most</source>
            <translation>Max. Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How many signals may wait for a slot.</source>
            <translation>Wie viele Signale auf einen Platz warten dürfen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>When the queue is full</source>
            <translation>Wenn die Warteschlange voll ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>reject_new: the new signal is rejected. drop_lowest: the last in rank makes room.</source>
            <translation>reject_new: Das neue Signal wird abgelehnt. drop_lowest: Das rangletzte macht Platz.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Reject new</source>
            <translation>Neues ablehnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Drop lowest</source>
            <translation>Letztes verdrängen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Longest wait</source>
            <translation>Längste Wartezeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How long a signal may wait; 0 means for ever.</source>
            <translation>Wie lange ein Signal warten darf; 0 heißt unbegrenzt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Default profile</source>
            <translation>Standardprofil</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The profile that is used where nothing else is bound.</source>
            <translation>Das Profil, das gilt, wo nichts anderes zugeordnet ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>First leg</source>
            <translation>Erste Stufe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How the first leg enters: a limit at its price, or at market.</source>
            <translation>Wie die erste Stufe einsteigt: als Limit-Order zu ihrem Preis oder als Market-Order.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Limit</source>
            <translation>Limit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Slippage at most</source>
            <translation>Max. Slippage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How far the market may be from the base price for a first leg at market.</source>
            <translation>Zulässiger Abstand des Markts vom Basispreis, wenn die erste Stufe eine Market-Order ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Give up unfilled after</source>
            <translation>Ohne Ausführung aufgeben nach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>A group that never filled is closed after this time; 0 means never.</source>
            <translation>Eine Gruppe ganz ohne Ausführung wird nach dieser Zeit geschlossen; 0 heißt nie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>per_leg: each leg at its own target. aggregate: all at once. hybrid: whichever is first.</source>
            <translation>per_leg: Jede Stufe an ihrem eigenen Ziel. aggregate: Alle auf einmal. hybrid: Was zuerst eintritt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Target of the group</source>
            <translation>Ziel der Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Distance of the whole group's target from its average entry.</source>
            <translation>Abstand des Ziels der ganzen Gruppe von ihrem Ø Einstieg.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>market: watch the price and close. limit: rest the targets on the exchange.</source>
            <translation>market: Preis beobachten und schließen. limit: Die Ziele als Orders an die Börse legen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>When everything is sold</source>
            <translation>Wenn alles verkauft ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>close: unfilled legs are cancelled, the group ends. keep_grid: they go on working.</source>
            <translation>close: Nicht ausgeführte Stufen werden storniert, die Gruppe endet. keep_grid: Sie bleiben aktiv.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Keep grid</source>
            <translation>Grid behalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Entry against an open group</source>
            <translation>Einstieg gegen eine offene Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>reject: it does nothing. reverse: it closes the group and opens the other side.</source>
            <translation>reject: Er bewirkt nichts. reverse: Er schließt die Gruppe und eröffnet die Gegenseite.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Reject</source>
            <translation>Ablehnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Reverse</source>
            <translation>Umkehren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Duplicate window</source>
            <translation>Duplikat-Zeitfenster</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Equal bodies without an id count as one alert for this long.</source>
            <translation>Gleiche Nachrichten ohne ID gelten so lange als ein Alarm.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Age of entries at most</source>
            <translation>Max. Alter von Einstiegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Older entries are rejected.</source>
            <translation>Ältere Einstiege werden abgelehnt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Age of exits at most</source>
            <translation>Max. Alter von Ausstiegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Older exits are rejected.</source>
            <translation>Ältere Ausstiege werden abgelehnt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Deviation at most</source>
            <translation>Max. Abweichung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How far an alert's price may be from the market.</source>
            <translation>Wie weit der Preis eines Alarms vom Markt entfernt sein darf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Most capital an alert may ask for</source>
            <translation>Max. Kapital aus Alarmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Up to what an alert may raise its group's capital; 0 means not above the group's.</source>
            <translation>Bis wohin ein Alarm das Kapital seiner Gruppe erhöhen darf; 0 heißt nicht über das der Gruppe.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Symbols that may be traded</source>
            <translation>Symbole, die gehandelt werden dürfen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Patterns, as BTC* or BINANCE:BTCUSDT.P; empty means all.</source>
            <translation>Muster wie BTC* oder BINANCE:BTCUSDT.P; leer heißt alle.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>Entries per day</source>
            <translation>Einstiege pro Tag</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Entries per world and UTC day; 0 means no limit.</source>
            <translation>Einstiege je Umgebung und UTC-Tag; 0 heißt unbegrenzt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Enabled</source>
            <translation>Aktiviert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Let the risk engine evaluate and offset.</source>
            <translation>Die Risiko-Engine prüfen und ausgleichen lassen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Plan and record, send nothing. auto: in the live world only.</source>
            <translation>Planen und festhalten, nichts senden. auto: nur in der Live-Umgebung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Evaluate every</source>
            <translation>Prüfen alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Time between evaluations.</source>
            <translation>Zeit zwischen zwei Prüfungen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Timer starts</source>
            <translation>Timer startet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>What starts a group's waiting time: all its pyramids are there, all their legs are on the exchange, or all of them are filled.</source>
            <translation>Womit die Wartezeit einer Gruppe beginnt: Alle ihre Pyramiden sind da, alle ihre Stufen liegen an der Börse oder alle sind ausgeführt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>After 5 pyramids</source>
            <translation>Nach 5 Pyramiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>After all DCA submitted</source>
            <translation>Nach Senden aller DCA</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>After all DCA filled</source>
            <translation>Nach Ausführung aller DCA</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Waiting time</source>
            <translation>Wartezeit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Waiting time before a group can be the loser.</source>
            <translation>Wartezeit, bevor eine Gruppe Verlierer sein kann.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Reset timer on replacement</source>
            <translation>Timer bei Ersatz zurücksetzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>A replacement pyramid starts the time again.</source>
            <translation>Eine Ersatzpyramide startet die Zeit neu.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Require full pyramids</source>
            <translation>Volle Pyramiden verlangen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Only groups with all pyramids can be the loser.</source>
            <translation>Nur Gruppen mit allen Pyramiden können Verlierer sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Require filled grid</source>
            <translation>Ausgeführtes Grid verlangen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Only groups without working entries can be the loser.</source>
            <translation>Nur Gruppen ohne offene Einstiege können Verlierer sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Loss from</source>
            <translation>Verlust ab</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Loss from which a group can be the loser.</source>
            <translation>Verlust, ab dem eine Gruppe Verlierer sein kann.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Ask for an age</source>
            <translation>Alter verlangen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Ask for a least age of the loser.</source>
            <translation>Ein Mindestalter des Verlierers verlangen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Age at least</source>
            <translation>Mindestalter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How old the loser must be at least, where an age is asked for.</source>
            <translation>Wie alt der Verlierer mindestens sein muss, falls ein Alter verlangt wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Winners at most</source>
            <translation>Max. Gewinner</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How many winners may pay for one loser.</source>
            <translation>Wie viele Gewinner für einen Verlierer aufkommen dürfen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Allow partial offset</source>
            <translation>Teilausgleich erlauben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Close a part of the loser when winners don't cover it.</source>
            <translation>Einen Teil des Verlierers schließen, wenn die Gewinner ihn nicht decken.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Top up</source>
            <translation>Fehlbetrag decken</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Make up a shortfall from the winners once.</source>
            <translation>Einen Fehlbetrag einmal aus den Gewinnern decken.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Address</source>
            <translation>Adresse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Address to listen on; anything but 127.0.0.1 or localhost exposes it to the network.</source>
            <translation>Adresse des Empfängers; jede außer 127.0.0.1 und localhost macht ihn im Netzwerk erreichbar.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Port</source>
            <translation>Port</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Port to listen on; 0 picks a free one.</source>
            <translation>Port des Empfängers; 0 wählt einen freien.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Token required</source>
            <translation>Token erforderlich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The path must carry a valid token.</source>
            <translation>Der Pfad muss ein gültiges Token enthalten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Secret required</source>
            <translation>Geheimnis erforderlich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The body must carry the secret.</source>
            <translation>Die Nachricht muss das Geheimnis enthalten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Signature required</source>
            <translation>Signatur erforderlich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The request must be signed (X-Signature).</source>
            <translation>Die Anfrage muss signiert sein (X-Signature).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>IP allowlist</source>
            <translation>IP-Freigabeliste</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Addresses and networks that may send; tradingview stands for TradingView's. Empty means all.</source>
            <translation>Adressen und Netze, die senden dürfen; tradingview steht für die von TradingView. Leer heißt alle.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Trusted proxies</source>
            <translation>Vertrauenswürdige Proxys</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Direct peers whose forwarding header is believed.</source>
            <translation>Direkte Gegenstellen, deren Weiterleitungs-Header geglaubt wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Proxy header</source>
            <translation>Proxy-Header</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The one header of a trusted proxy that names the sender. auto: X-Forwarded-For, or where there is none CF-Connecting-IP.</source>
            <translation>Der eine Header eines vertrauenswürdigen Proxys, der den Absender nennt. auto: X-Forwarded-For, oder wo es ihn nicht gibt, CF-Connecting-IP.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>X-forwarded-for</source>
            <translation>X-Forwarded-For</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Cf-connecting-ip</source>
            <translation>CF-Connecting-IP</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Further names</source>
            <translation>Weitere Namen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Names, beside the public address, under which alerts may arrive; * stands for any. What is sent to another name is refused once there is a public address.</source>
            <translation>Namen neben der öffentlichen Adresse, unter denen Alarme eintreffen dürfen; * steht für jeden. Was an einen anderen Namen gesendet wird, wird abgelehnt, sobald es eine öffentliche Adresse gibt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Alerts per minute</source>
            <translation>Alarme pro Minute</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Most alerts taken in a minute.</source>
            <translation>Höchstens so viele Alarme pro Minute.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Failures per minute</source>
            <translation>Fehlversuche pro Minute</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Wrong secrets from one address before it is answered 429.</source>
            <translation>Falsche Geheimnisse von einer Adresse, bevor sie die Antwort 429 erhält.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Run a tunnel from here, so that TradingView reaches the listener.</source>
            <translation>Von hier aus einen Tunnel betreiben, damit TradingView den Empfänger erreicht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The program that makes the tunnel. auto: the first one that is installed.</source>
            <translation>Das Programm für den Tunnel. auto: das erste, das installiert ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Cloudflared</source>
            <translation>Cloudflared</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Ngrok</source>
            <translation>Ngrok</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Tailscale</source>
            <translation>Tailscale</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Host name</source>
            <translation>Hostname</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The tunnel's host name where it has a fixed one: of a named cloudflared tunnel, or a domain at ngrok. Empty: the program says.</source>
            <translation>Der Hostname des Tunnels, falls er fest ist: der eines benannten cloudflared-Tunnels oder eine Domain bei ngrok. Leer: Das Programm gibt ihn vor.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Tunnel at Cloudflare</source>
            <translation>Tunnel bei Cloudflare</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Name or id of a cloudflared tunnel of your own. Empty: a quick tunnel, whose address is another one after every start.</source>
            <translation>Name oder ID eines eigenen cloudflared-Tunnels. Leer: ein Quick Tunnel, dessen Adresse nach jedem Start eine andere ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Where the listener is reached from outside without a tunnel of this program: through port forwarding or a proxy of your own.</source>
            <translation>Wo der Empfänger ohne einen Tunnel dieses Programms von außen erreicht wird: über eine Portweiterleitung oder einen eigenen Proxy.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Check every</source>
            <translation>Prüfen alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Time between two checks that the public address leads here.</source>
            <translation>Zeit zwischen zwei Prüfungen, ob die öffentliche Adresse hierher führt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Where practice prices come from; auto: live, or else synthetic.</source>
            <translation>Woher die Übungspreise kommen; auto: live, sonst synthetisch.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Maker fee</source>
            <translation>Maker-Gebühr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Fee of resting orders.</source>
            <translation>Gebühr ruhender Orders.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Taker fee</source>
            <translation>Taker-Gebühr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Fee of orders that fill at once.</source>
            <translation>Gebühr sofort ausgeführter Orders.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Time until the paper exchange answers.</source>
            <translation>Zeit, bis die Paper-Börse antwortet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Start balance</source>
            <translation>Startguthaben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Practice money of each paper account.</source>
            <translation>Übungsgeld jedes Paper-Kontos.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Read open orders every</source>
            <translation>Offene Orders lesen alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Time between two readings of open orders.</source>
            <translation>Zeit zwischen zwei Abfragen der offenen Orders.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Retries</source>
            <translation>Wiederholungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How often an account that could not be read is read again soon, each time after twice as long; after that once a minute.</source>
            <translation>Wie oft ein Konto, das nicht gelesen werden konnte, bald erneut gelesen wird, jedes Mal nach doppelter Wartezeit; danach einmal pro Minute.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Failures until a break</source>
            <translation>Fehler bis zur Pause</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Failures one after another that open an account's circuit breaker.</source>
            <translation>Fehler in Folge, nach denen der Schutzschalter eines Kontos auslöst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Break</source>
            <translation>Pause</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Pause before the exchange is tried again.</source>
            <translation>Pause, bevor die Börse erneut versucht wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Log level</source>
            <translation>Protokoll-Level</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Least level that is written.</source>
            <translation>Niedrigster Level, der geschrieben wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>DEBUG</source>
            <translation>DEBUG</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>INFO</source>
            <translation>INFO</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>WARNING</source>
            <translation>WARNING</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>ERROR</source>
            <translation>ERROR</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>CRITICAL</source>
            <translation>CRITICAL</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Keep logs</source>
            <translation>Protokolle aufbewahren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Days a log is kept.</source>
            <translation>Tage, die Protokolle bleiben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Compress logs after</source>
            <translation>Protokolle packen nach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Days until a log file is compressed.</source>
            <translation>Tage bis zum Komprimieren einer Protokolldatei.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Keep the audit log</source>
            <translation>Prüfprotokoll aufbewahren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Days the audit log is kept; 0 means for ever.</source>
            <translation>Tage, die das Prüfprotokoll aufbewahrt wird; 0 heißt für immer.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Back up every</source>
            <translation>Sichern alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Time between backups; 0 means none.</source>
            <translation>Zeit zwischen zwei Sicherungen; 0 heißt keine.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Keep at most</source>
            <translation>Max. behalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How many backups are kept.</source>
            <translation>Wie viele Sicherungen bleiben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Where they go; empty means the data folder.</source>
            <translation>Wohin sie kommen; leer heißt in den Datenordner.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Desktop</source>
            <translation>Desktop</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Show notices of the desktop.</source>
            <translation>Hinweise des Desktops anzeigen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Tell from level</source>
            <translation>Melden ab Level</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Least level that is told outside.</source>
            <translation>Niedrigster Level, der nach außen gemeldet wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Tell also</source>
            <translation>Auch melden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Kinds of events that are told whatever their level: codes, as group_closed or risk_*, or categories, as SECURITY. The log shows each event's code.</source>
            <translation>Ereignisarten, die unabhängig vom Level gemeldet werden: Codes wie group_closed oder risk_*, oder Kategorien wie SECURITY. Das Protokoll zeigt den Code jedes Ereignisses.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Tell never</source>
            <translation>Nie melden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Kinds of events that are not told outside, whatever their level.</source>
            <translation>Ereignisarten, die unabhängig vom Level nicht nach außen gemeldet werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Quiet from</source>
            <translation>Ruhe ab</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Local time from which only what is critical is told, as 22:30; empty means never.</source>
            <translation>Ortszeit, ab der nur Kritisches gemeldet wird, z. B. 22:30; leer heißt nie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Quiet until</source>
            <translation>Ruhe bis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Local time until which it is quiet, as 07:00.</source>
            <translation>Ortszeit, bis zu der Ruhe ist, z. B. 07:00.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>At most per hour</source>
            <translation>Max. pro Stunde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Messages to each target; what is left out is told in one. 0 means no limit.</source>
            <translation>Meldungen an jedes Ziel; was ausgelassen wird, folgt gesammelt in einer. 0 heißt unbegrenzt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Daily summary at</source>
            <translation>Tagesbericht um</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Local time of the daily summary, as 20:00; empty means none.</source>
            <translation>Ortszeit des Tagesberichts, z. B. 20:00; leer heißt keiner.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Alarm: prices older than</source>
            <translation>Warnung: Preise älter als</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Age of the prices of open positions from which you are warned; 0 means never.</source>
            <translation>Alter der Preise offener Positionen, ab dem Sie gewarnt werden; 0 heißt nie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Alarm: errors per minute</source>
            <translation>Warnung: Fehler pro Minute</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Errors in the log from which you are warned; 0 means never.</source>
            <translation>Fehler im Protokoll, ab denen Sie gewarnt werden; 0 heißt nie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Alarm: slow answers</source>
            <translation>Warnung: langsame Antworten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Time from alert to answer (p95 of five minutes) from which you are warned; 0 means never.</source>
            <translation>Zeit vom Alarm bis zur Antwort (p95 über fünf Minuten), ab der Sie gewarnt werden; 0 heißt nie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Alarm: free disk below</source>
            <translation>Warnung: freier Speicher unter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Room on the disk below which you are warned; 0 means never.</source>
            <translation>Freier Speicherplatz, unter dem Sie gewarnt werden; 0 heißt nie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Alarm: unhealthy for</source>
            <translation>Warnung: gestört seit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>How long something may be wrong before you are warned; 0 means never.</source>
            <translation>Wie lange etwas nicht in Ordnung sein darf, bevor Sie gewarnt werden; 0 heißt nie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Look for new versions; nothing is installed by itself.</source>
            <translation>Nach neuen Versionen suchen; nichts wird von selbst installiert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Every</source>
            <translation>Alle</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Time between two looks.</source>
            <translation>Zeit zwischen zwei Suchen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>While open</source>
            <translation>Bei offenen Positionen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Offer new versions without asking back while positions are open.</source>
            <translation>Neue Versionen ohne Rückfrage anbieten, während Positionen offen sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Language</source>
            <translation>Sprache</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Language of the window; another one is spoken from the next start.</source>
            <translation>Sprache des Fensters; eine andere gilt ab dem nächsten Start.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <location filename="../../src/execution_engine/domain/facts.py" />
            <source>System</source>
            <translation>System</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>English</source>
            <translation>English</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Deutsch</source>
            <translation>Deutsch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Colours of the window.</source>
            <translation>Farben des Fensters.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Scale</source>
            <translation>Skalierung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Size of text and controls.</source>
            <translation>Größe von Text und Bedienelementen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Comfortable</source>
            <translation>Geräumig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Higher table rows.</source>
            <translation>Höhere Tabellenzeilen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Keep the computer awake</source>
            <translation>Computer wach halten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>While positions are open the computer does not go to sleep; its screen may go dark.</source>
            <translation>Solange Positionen offen sind, geht der Computer nicht in den Ruhezustand; der Bildschirm darf dunkel werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Close to tray</source>
            <translation>In Infobereich schließen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Closing the window leaves the engine running, with an icon in the system's tray; Quit ends it. Where the desktop has no tray, closing the window quits.</source>
            <translation>Beim Schließen des Fensters läuft die Engine weiter, mit einem Symbol im Infobereich; „Beenden“ beendet sie. Hat der Desktop keinen Infobereich, beendet das Schließen des Fensters das Programm.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Start at login</source>
            <translation>Bei Anmeldung starten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Start the application when you log in.</source>
            <translation>Die Anwendung starten, wenn Sie sich anmelden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Nothing can be changed by hand, not even paused or closed; the engine goes on.</source>
            <translation>Von Hand kann nichts geändert werden, auch nicht pausiert oder geschlossen; die Engine läuft weiter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Lock the window after</source>
            <translation>Fenster sperren nach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Time without a key or a click after which the window is covered until you unlock it; 0 means never. The engine goes on.</source>
            <translation>Zeit ohne Taste oder Klick, nach der das Fenster verdeckt wird, bis Sie es entsperren; 0 heißt nie. Die Engine läuft weiter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Leverage</source>
            <translation>Hebel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Leverage on perpetuals.</source>
            <translation>Hebel bei Perpetuals.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Margin mode</source>
            <translation>Margin-Modus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Margin mode on perpetuals.</source>
            <translation>Margin-Modus bei Perpetuals.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Isolated</source>
            <translation>Isoliert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Cross</source>
            <translation>Cross</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Position mode</source>
            <translation>Positionsmodus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Position mode on perpetuals.</source>
            <translation>Positionsmodus bei Perpetuals.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>One way</source>
            <translation>One-Way</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Hedge</source>
            <translation>Hedge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Default</source>
            <translation>Standard</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Take the alerts that several accounts would fit.</source>
            <translation>Die Alarme annehmen, für die mehrere Konten infrage kämen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/instrument.py" />
            <source>buy</source>
            <translation>Kauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/instrument.py" />
            <source>sell</source>
            <translation>Verkauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/rows.py" />
            <source>paper</source>
            <translation>paper</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/rows.py" />
            <source>testnet</source>
            <translation>testnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/rows.py" />
            <source>demo</source>
            <translation>demo</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/rows.py" />
            <source>test</source>
            <translation>test</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>isolated</source>
            <translation>Isoliert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>cross</source>
            <translation>Cross</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>opened</source>
            <translation>eröffnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>pyramided</source>
            <translation>Pyramide ergänzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>reversed</source>
            <translation>umgekehrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>exited</source>
            <translation>ausgestiegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>dequeued</source>
            <translation>aus der Warteschlange genommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>rejected</source>
            <translation>abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>failed</source>
            <translation>fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>queued</source>
            <translation>in der Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>replaced</source>
            <translation>ersetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>cancelled</source>
            <translation>storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/signal.py" />
            <source>expired</source>
            <translation>verfallen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Account added</source>
            <translation>Konto hinzugefügt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Account checked</source>
            <translation>Konto geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Account enabled</source>
            <translation>Konto aktiviert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Account disabled</source>
            <translation>Konto deaktiviert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Account default</source>
            <translation>Standardkonto</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Account removed</source>
            <translation>Konto entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Keys entered</source>
            <translation>Schlüssel eingegeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Keys removed</source>
            <translation>Schlüssel entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Secret entered</source>
            <translation>Geheimnis eingegeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Secret removed</source>
            <translation>Geheimnis entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Target entered</source>
            <translation>Ziel eingegeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Target removed</source>
            <translation>Ziel entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Vault made</source>
            <translation>Tresor erstellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Vault unlocked</source>
            <translation>Tresor entsperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Vault locked</source>
            <translation>Tresor gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Vault refused</source>
            <translation>Tresor verweigert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Vault protected</source>
            <translation>Tresor geschützt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Vault forgotten</source>
            <translation>Tresor gelöscht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Window locked</source>
            <translation>Fenster gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Window unlocked</source>
            <translation>Fenster entsperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Settings saved</source>
            <translation>Einstellungen gespeichert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Secret guessed</source>
            <translation>Geheimnis-Rateversuch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Token added</source>
            <translation>Token hinzugefügt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Token rotated</source>
            <translation>Token erneuert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Token revoked</source>
            <translation>Token zurückgezogen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Token renamed</source>
            <translation>Token umbenannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Token allowed</source>
            <translation>Token berechtigt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Resumed</source>
            <translation>Fortgesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Cancel legs</source>
            <translation>Stufen storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Queue removed</source>
            <translation>Signal entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Risk changed</source>
            <translation>Risiko geändert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Risk run</source>
            <translation>Risikolauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Finding decided</source>
            <translation>Befund entschieden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Backup made</source>
            <translation>Sicherung erstellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Backup failed</source>
            <translation>Sicherung fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Backup restored</source>
            <translation>Sicherung wiederhergestellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Recovered</source>
            <translation>Freigegeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Moved</source>
            <translation>Umgezogen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Exported</source>
            <translation>Exportiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Audit broken</source>
            <translation>Prüfprotokoll defekt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Checkpoint</source>
            <translation>Prüfpunkt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/facts.py" />
            <source>Api</source>
            <translation>API</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/origin.py" />
            <source>Window</source>
            <translation>Fenster</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/origin.py" />
            <source>Command line</source>
            <translation>Kommandozeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/origin.py" />
            <source>Listener</source>
            <translation>Empfänger</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/origin.py" />
            <source>Exchange key check</source>
            <translation>Schlüsselprüfung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/origin.py" />
            <source>Automatic</source>
            <translation>Automatisch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>hedge</source>
            <translation>Hedge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>one-way</source>
            <translation>One-Way</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>weak</source>
            <translation>schwach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>fair</source>
            <translation>mäßig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>good</source>
            <translation>gut</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>strong</source>
            <translation>stark</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>year</source>
            <translation>Jahr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>years</source>
            <translation>Jahre</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>centuries</source>
            <translation>Jahrhunderte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>nowhere</source>
            <translation>nirgendwo</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/authentication.py" />
            <source>signature</source>
            <translation>Signatur</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>entered</source>
            <translation>eingegeben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>removed</source>
            <translation>entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>once</source>
            <translation>einmal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>twice</source>
            <translation>zweimal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_hindsight.py" />
            <source>a loser</source>
            <translation>einen Verlierer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>set</source>
            <translation>gesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/templates.py" />
            <source>Careful</source>
            <translation>Vorsichtig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/templates.py" />
            <source>Balanced</source>
            <translation>Ausgewogen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/templates.py" />
            <source>Aggressive</source>
            <translation>Aggressiv</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Telegram</source>
            <translation>Telegram</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Bot token</source>
            <translation>Bot-Token</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Chat id</source>
            <translation>Chat-ID</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Discord</source>
            <translation>Discord</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Server</source>
            <translation>Server</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>User</source>
            <translation>Benutzer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Password</source>
            <translation>Passwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>URL</source>
            <translation>URL</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Other</source>
            <translation>Andere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/closing.py" />
            <source>Group closing</source>
            <translation>Gruppe wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>Defect</source>
            <translation>Interner Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/hints.py" />
            <source>Doubtful timeframe</source>
            <translation>Zweifelhafter Zeitrahmen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>Alert rejected</source>
            <translation>Alarm abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>Request refused</source>
            <translation>Anfrage abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>Same id other body</source>
            <translation>Gleiche ID, anderer Body</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/listings.py" />
            <source>Found halted</source>
            <translation>Handel ausgesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/market.py" />
            <source>Target reached</source>
            <translation>Ziel erreicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>Position differs</source>
            <translation>Position weicht ab</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/netting.py" />
            <source>Netted</source>
            <translation>Verrechnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/plan.py" />
            <source>Leg planned anew</source>
            <translation>Stufe neu geplant</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/plan.py" />
            <source>Leg left out</source>
            <translation>Stufe ausgelassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>Group opening</source>
            <translation>Gruppe wird eröffnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>Interrupted</source>
            <translation>Unterbrochen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>Account unreadable</source>
            <translation>Konto nicht lesbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>Order rejected</source>
            <translation>Order abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>Cancel refused</source>
            <translation>Stornierung abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>Order unknown</source>
            <translation>Order unbekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>Order filled</source>
            <translation>Order ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>Risk rehearsed</source>
            <translation>Risiko-Probelauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>Risk skipped</source>
            <translation>Risiko übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>Group closed</source>
            <translation>Gruppe geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>Late fill</source>
            <translation>Späte Ausführung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>Entry failed</source>
            <translation>Einstieg fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>Group failed</source>
            <translation>Gruppe fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/way_in.py" />
            <source>Way in</source>
            <translation>Zugang</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Predictable substitutions like '@' instead of 'a' don't help very much.</source>
            <translation>Vorhersehbare Ersetzungen wie „@“ statt „a“ helfen kaum.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Reversed words aren't much harder to guess.</source>
            <translation>Umgedrehte Wörter sind kaum schwerer zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>All-uppercase is almost as easy to guess as all-lowercase.</source>
            <translation>Nur Großbuchstaben sind fast so leicht zu erraten wie nur Kleinbuchstaben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Capitalization doesn't help very much.</source>
            <translation>Großschreibung hilft kaum.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Common names and surnames are easy to guess.</source>
            <translation>Verbreitete Vor- und Nachnamen sind leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Names and surnames by themselves are easy to guess.</source>
            <translation>Namen allein sind leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>A word by itself is easy to guess.</source>
            <translation>Ein einzelnes Wort ist leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>This is similar to a commonly used password.</source>
            <translation>Es ähnelt einem häufig benutzten Passwort.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>This is a very common password.</source>
            <translation>Es ist ein sehr häufiges Passwort.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>This is a top-100 common password.</source>
            <translation>Es gehört zu den 100 häufigsten Passwörtern.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>This is a top-10 common password.</source>
            <translation>Es gehört zu den 10 häufigsten Passwörtern.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Avoid dates and years that are associated with you.</source>
            <translation>Vermeiden Sie Daten und Jahre, die mit Ihnen zu tun haben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Dates are often easy to guess.</source>
            <translation>Daten sind oft leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Avoid years that are associated with you.</source>
            <translation>Vermeiden Sie Jahre, die mit Ihnen zu tun haben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Avoid recent years.</source>
            <translation>Vermeiden Sie Jahre der jüngeren Zeit.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Recent years are easy to guess.</source>
            <translation>Jahre der jüngeren Zeit sind leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Sequences like "abc" or "6543" are easy to guess.</source>
            <translation>Folgen wie „abc“ oder „6543“ sind leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Avoid repeated words and characters.</source>
            <translation>Vermeiden Sie wiederholte Wörter und Zeichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Repeats like "abcabcabc" are only slightly harder to guess than "abc".</source>
            <translation>Wiederholungen wie „abcabcabc“ sind kaum schwerer zu erraten als „abc“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Repeats like "aaa" are easy to guess.</source>
            <translation>Wiederholungen wie „aaa“ sind leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Use a longer keyboard pattern with more turns.</source>
            <translation>Verwenden Sie ein längeres Tastaturmuster mit mehr Richtungswechseln.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Short keyboard patterns are easy to guess.</source>
            <translation>Kurze Tastaturmuster sind leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Straight rows of keys are easy to guess.</source>
            <translation>Gerade Tastenreihen sind leicht zu erraten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Add another word or two. Uncommon words are better.</source>
            <translation>Fügen Sie ein, zwei Wörter hinzu; seltene sind besser.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>No need for symbols, digits, or uppercase letters.</source>
            <translation>Sonderzeichen, Ziffern oder Großbuchstaben sind nicht nötig.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>Use a few words, avoid common phrases.</source>
            <translation>Verwenden Sie mehrere Wörter, aber keine gängigen Wendungen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <location filename="../../src/execution_engine/accounts.py" />
            <source>There is no account “{v0}”.</source>
            <translation>Es gibt kein Konto „{v0}“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} is the default for {v1} now.</source>
            <translation>Konto {v0} ist jetzt der Standard für {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} still has working orders; wait until they are done.</source>
            <translation>Konto {v0} hat noch offene Orders; warten Sie, bis sie erledigt sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Signals for account {v0} wait in the queue; remove them first.</source>
            <translation>Signale für Konto {v0} warten in der Warteschlange; entfernen Sie diese zuerst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} has {v1} open groups; close them first.</source>
            <translation>Konto {v0} hat offene Gruppen ({v1}); schließen Sie diese zuerst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} was removed.</source>
            <translation>Konto {v0} wurde entfernt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} was disabled: {v1}</source>
            <translation>Konto {v0} wurde deaktiviert: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} is disabled: it opens nothing; what it holds is looked after.</source>
            <translation>Konto {v0} ist deaktiviert: Es eröffnet nichts; was es hält, wird weiter betreut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>disabled by you</source>
            <translation>von Ihnen deaktiviert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} ({v1}) is in use, and prices of {v2} and {v3} are not mixed: disable {v4} and close what it holds before you enable {v5}.</source>
            <translation>Konto {v0} ({v1}) ist in Gebrauch, und Preise von {v2} und {v3} werden nicht vermischt: Deaktivieren Sie {v4} und schließen Sie, was es hält, bevor Sie {v5} aktivieren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>{v0} does not tell whether the keys of account {v1} can take money out. Make sure on its site that they cannot, and confirm it.</source>
            <translation>{v0} gibt nicht an, ob mit den Schlüsseln von Konto {v1} Geld abgehoben werden kann. Stellen Sie auf der Website der Börse sicher, dass das nicht geht, und bestätigen Sie es.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} were not checked yet; check them first.</source>
            <translation>Die Schlüssel von Konto {v0} wurden noch nicht geprüft; prüfen Sie sie zuerst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} is enabled.</source>
            <translation>Konto {v0} ist aktiviert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} ({v1}) was enabled.</source>
            <translation>Konto {v0} ({v1}) wurde aktiviert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <location filename="../../src/execution_engine/engine/state.py" />
            <source>reading the exchange</source>
            <translation>die Börse wird gelesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} were checked: {v1}</source>
            <translation>Die Schlüssel von Konto {v0} wurden geprüft: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} are fit.</source>
            <translation>Die Schlüssel von Konto {v0} sind geeignet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} were checked: they are fit.</source>
            <translation>Die Schlüssel von Konto {v0} wurden geprüft: Sie sind geeignet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} were {v1}.</source>
            <translation>Die Schlüssel von Konto {v0} wurden {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} was added. It is disabled until you enable it.</source>
            <translation>Konto {v0} wurde hinzugefügt. Es ist deaktiviert, bis Sie es aktivieren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} ({v1}) was added; it is disabled.</source>
            <translation>Konto {v0} ({v1}) wurde hinzugefügt; es ist deaktiviert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>{v0} has no {v1} mode for {v2} markets; it has these: {v3}.</source>
            <translation>{v0} hat keinen Modus {v1} für {v2}-Märkte; möglich sind: {v3}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>The exchange “{v0}” is not known; these are: {v1}.</source>
            <translation>Die Börse „{v0}“ ist nicht bekannt; möglich sind: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>The paper exchange knows no mode but paper.</source>
            <translation>Die Paper-Börse kennt nur den Modus paper.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>There is an account “{v0}” already.</source>
            <translation>Es gibt bereits ein Konto „{v0}“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/account_commands.py" />
            <source>An account's name has up to 32 letters, digits, “-” and “_”, and begins with a letter or a digit.</source>
            <translation>Ein Kontoname hat bis zu 32 Buchstaben, Ziffern, „-“ und „_“ und beginnt mit einem Buchstaben oder einer Ziffer.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/age.py" />
            <source>the alert is {v0} s old, the limit is {v1} s</source>
            <translation>der Alarm ist {v0} s alt, erlaubt sind {v1} s</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/age.py" />
            <source>the alert's timestamp is {v0} s in the future; check the clock of this machine</source>
            <translation>der Zeitstempel des Alarms liegt {v0} s in der Zukunft; prüfen Sie die Uhr dieses Rechners</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>All is well again.</source>
            <translation>Alles ist wieder in Ordnung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>What was to be closed is closed.</source>
            <translation>Was zu schließen war, ist geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>There is room on the disk again.</source>
            <translation>Auf dem Datenträger ist wieder Platz.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>Alerts are answered quickly again.</source>
            <translation>Alarme werden wieder schnell beantwortet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>There are few errors again.</source>
            <translation>Es gibt wieder wenige Fehler.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>Prices of open positions are fresh again.</source>
            <translation>Preise offener Positionen sind wieder aktuell.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>Something has been wrong for {v0} s: {v1}.</source>
            <translation>Seit {v0} s ist etwas nicht in Ordnung: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>{v0}. It is tried again until it is closed.</source>
            <translation>{v0}. Das Schließen wird bis zum Erfolg erneut versucht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>Only {v0} MB are free on the disk; without room nothing is stored.</source>
            <translation>Nur {v0} MB sind auf dem Datenträger frei; ohne Platz wird nichts gespeichert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>Alerts are answered after {v0} ms (p95); TradingView waits 3 s.</source>
            <translation>Alarme werden nach {v0} ms beantwortet (p95); TradingView wartet 3 s.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>{v0} errors were logged within a minute; Logs shows them.</source>
            <translation>{v0} Fehler wurden in einer Minute protokolliert; „Protokoll“ zeigt sie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alarms.py" />
            <source>Prices of open positions are {v0} s old; targets and risk wait for new ones.</source>
            <translation>Preise offener Positionen sind {v0} s alt; Ziele und Risiko warten auf neue.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>{v0} arrived unreplaced: TradingView fills it only in the message of an alert made on a chart, and {{{{strategy.…}}}} only in alerts of a strategy</source>
            <translation>{v0} kam unersetzt an: TradingView füllt es nur in der Nachricht eines Alarms aus, der auf einem Chart erstellt wurde, und {{{{strategy.…}}}} nur in Alarmen einer Strategie</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>{v0} is no time; send it as {{{{timenow}}}} or 2026-11-20T14:32:08Z</source>
            <translation>{v0} ist keine Zeit; senden Sie sie als {{{{timenow}}}} oder 2026-11-20T14:32:08Z</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>{v0} must be above 0</source>
            <translation>{v0} muss größer als 0 sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <location filename="../../src/execution_engine/domain/typed.py" />
            <source>has more than {v0} digits</source>
            <translation>hat mehr als {v0} Ziffern</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>{v0} is not a number; write it with a point, as 64000.5</source>
            <translation>{v0} ist keine Zahl; schreiben Sie sie mit Punkt, z. B. 64000.5</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <location filename="../../src/execution_engine/domain/document.py" />
            <location filename="../../src/execution_engine/domain/typed.py" />
            <source>must be a number</source>
            <translation>muss eine Zahl sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>{v0} must be {v1}</source>
            <translation>{v0} muss {v1} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>{v0} is no timeframe; send minutes (15, 240), 30S, 1D, 1W or 1M</source>
            <translation>{v0} ist kein Zeitrahmen; senden Sie Minuten (15, 240), 30S, 1D, 1W oder 1M</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>{v0} holds characters that no {v1} has; send it as {v2}</source>
            <translation>{v0} enthält Zeichen, die in {v1} nicht vorkommen; als {v2} senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>is missing; send it as {v0}</source>
            <translation>fehlt; als {v0} senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>holds characters that cannot be shown</source>
            <translation>enthält Zeichen, die nicht darstellbar sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>is longer than {v0} characters</source>
            <translation>ist länger als {v0} Zeichen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be text</source>
            <translation>muss Text sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>must be an object, as {…}</source>
            <translation>muss ein Objekt sein, z. B. {…}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>nothing says what to do: send action (buy, sell), market_position or execution_intent</source>
            <translation>nichts sagt, was zu tun ist: action (buy, sell), market_position oder execution_intent senden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>the number {v0} cannot be used</source>
            <translation>die Zahl {v0} ist nicht verwendbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>{v0} is not a number that can be used; an unquoted placeholder may have become it</source>
            <translation>{v0} ist keine verwendbare Zahl; vielleicht entstand sie aus einem Platzhalter ohne Anführungszeichen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>the field “{v0}” stands twice</source>
            <translation>das Feld „{v0}“ steht zweimal da</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>the body is not valid JSON ({v0}); check quotes and commas around placeholders</source>
            <translation>der Body ist kein gültiges JSON ({v0}); prüfen Sie Anführungszeichen und Kommas um Platzhalter</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>the body is nested more than {v0} levels deep</source>
            <translation>der Body ist tiefer als {v0} Ebenen verschachtelt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>the body is not UTF-8 text</source>
            <translation>der Body ist kein UTF-8-Text</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/alert.py" />
            <source>the body must be a JSON object, as {"tv": …}</source>
            <translation>der Body muss ein JSON-Objekt sein, z. B. {"tv": …}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>Audit entry {v0} ({v1}) does not follow from the one before it: it was changed, or one before it was changed or taken out.</source>
            <translation>Eintrag {v0} ({v1}) des Prüfprotokolls folgt nicht aus dem vorigen: Er wurde geändert, oder ein früherer wurde geändert oder entfernt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>What was written down until then was removed.</source>
            <translation>Was bis dahin aufgezeichnet war, wurde entfernt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/audit.py" />
            <source>And more of them:</source>
            <translation>Und weitere:</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>{v0} trade by these settings at once.</source>
            <translation>{v0} handeln sofort nach diesen Einstellungen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>{v0} trades by these settings at once.</source>
            <translation>{v0} handelt sofort nach diesen Einstellungen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>Real money</source>
            <translation>Echtes Geld</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>begins: nothing can be changed by hand, not even paused or closed, until it is switched off.</source>
            <translation>beginnt: Von Hand kann nichts geändert werden, auch nicht pausiert oder geschlossen, bis dies abgeschaltet wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>ends: everything can be changed again.</source>
            <translation>endet: Alles kann wieder geändert werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>believes the forwarding header of everybody in {v0}.</source>
            <translation>glaubt dem Weiterleitungs-Header von allen in {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>takes alerts from every address.</source>
            <translation>nimmt Alarme von jeder Adresse an.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>does not insist on {v0} any more; one of token, secret and signature is enough.</source>
            <translation>verlangt {v0} nicht mehr; Token, Geheimnis oder Signatur genügt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>the secret in the body</source>
            <translation>das Geheimnis in der Nachricht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>a token in the path</source>
            <translation>ein Token im Pfad</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>is reachable from the network at {v0}; behind a tunnel 127.0.0.1 is enough.</source>
            <translation>ist unter {v0} aus dem Netzwerk erreichbar; hinter einem Tunnel genügt 127.0.0.1.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>closes positions in the live world, too: it does not rehearse any more.</source>
            <translation>schließt Positionen auch in der Live-Umgebung: Es gibt keinen Probelauf mehr.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>that are older than {v0} s are rejected from now on.</source>
            <translation>die älter als {v0} s sind, werden ab jetzt abgelehnt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>are not limited any more.</source>
            <translation>sind nicht mehr begrenzt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>is not limited any more.</source>
            <translation>ist nicht mehr begrenzt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>rises from {v0} to {v1} ×; positions are liquidated after a smaller move.</source>
            <translation>steigt von {v0} auf {v1} ×; Positionen werden schon bei einer kleineren Bewegung liquidiert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/cautions.py" />
            <source>rises from {v0} to {v1} USD, {v2} × the capital.</source>
            <translation>steigt von {v0} auf {v1} USD, {v2} × das Kapital.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/changes.py" />
            <source>{v0}; and {v1} more</source>
            <translation>{v0}; und {v1} weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/changes.py" />
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>{v0} entries</source>
            <translation>{v0} Einträge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>Waiting signals are promoted again.</source>
            <translation>Wartende Signale rücken wieder nach.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>The position is looked after again.</source>
            <translation>Die Position wird wieder betreut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>Released by you.</source>
            <translation>Von Ihnen freigegeben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>The exchange is being read again; the hold ends if it fits now.</source>
            <translation>Die Börse wird erneut gelesen; der Halt endet, wenn es nun übereinstimmt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>compared again at your wish</source>
            <translation>auf Ihren Wunsch erneut verglichen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>It is being closed; what the exchange refuses is tried again once it is traded.</source>
            <translation>Die Position wird geschlossen; was die Börse ablehnt, wird erneut versucht, sobald wieder gehandelt wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>the message must name the account “{v0}”, where the alert was missed</source>
            <translation>die Nachricht muss das Konto „{v0}“ nennen, bei dem der Alarm verpasst wurde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>the message is about {v0}, what was missed about {v1} {v2}</source>
            <translation>die Nachricht betrifft {v0}, verpasst wurde {v1} {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>the message is longer than {v0} bytes</source>
            <translation>die Nachricht ist länger als {v0} Bytes</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>It was sent as alert {v0}.</source>
            <translation>Er wurde als Alarm {v0} gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>Sent by you as alert {v0}{v1}.</source>
            <translation>Von Ihnen gesendet als Alarm {v0}{v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>alert {v0} came under this id already; give the message another one</source>
            <translation>Alarm {v0} kam bereits mit dieser ID; geben Sie der Nachricht eine andere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>The position is being closed.</source>
            <translation>Die Position wird geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>Closed by you{v0}.</source>
            <translation>Von Ihnen geschlossen{v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>closed by you</source>
            <translation>von Ihnen geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>you closed it</source>
            <translation>von Ihnen geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>What was missing is booked as closed outside; the rest is being closed.</source>
            <translation>Was fehlte, ist als außerhalb geschlossen verbucht; der Rest wird geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>the rest was closed by you</source>
            <translation>der Rest wurde von Ihnen geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>What was missing is booked as closed outside.</source>
            <translation>Was fehlte, ist als außerhalb geschlossen verbucht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>Booked as closed outside, by you.</source>
            <translation>Von Ihnen als außerhalb geschlossen verbucht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>orders that close this position rest or are on their way; wait until they are settled</source>
            <translation>Orders, die diese Position schließen, sind noch offen oder unterwegs; warten Sie, bis sie erledigt sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>closed outside the application</source>
            <translation>außerhalb der Anwendung geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>what these positions hold has changed since it was compared; decide once it was compared again</source>
            <translation>was diese Positionen halten, hat sich seit dem Vergleich geändert; entscheiden Sie nach dem nächsten Vergleich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>the exchange is being read again; decide once that is done</source>
            <translation>die Börse wird gerade erneut gelesen; entscheiden Sie danach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>Dismissed by you{v0}.</source>
            <translation>Von Ihnen verworfen{v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>“{v0}” cannot be chosen here; there are: {v1}</source>
            <translation>„{v0}“ kann hier nicht gewählt werden; möglich sind: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>there is nothing to decide under {v0}</source>
            <translation>unter {v0} gibt es nichts zu entscheiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <source>(command line)</source>
            <translation>(Kommandozeile)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/choices.py" />
            <location filename="../../src/execution_engine/main.py" />
            <source>this machine</source>
            <translation>dieser Rechner</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/closing.py" />
            <location filename="../../src/execution_engine/domain/pool.py" />
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>the new side was not opened: {v0}</source>
            <translation>die neue Seite wurde nicht eröffnet: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/closing.py" />
            <source>{v0} is closing: {v1}</source>
            <translation>{v0} wird geschlossen: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Account {v0} was saved.</source>
            <translation>Konto {v0} wurde gespeichert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Settings were saved.</source>
            <translation>Einstellungen gespeichert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Settings were saved{v0}: {v1}.</source>
            <translation>Einstellungen gespeichert{v0}: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} {v1} was removed from the queue.</source>
            <translation>{v0} {v1} wurde aus der Warteschlange entfernt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} {v1} on {v2} was taken out of the queue.</source>
            <translation>{v0} {v1} auf {v2} wurde aus der Warteschlange genommen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>removed by you</source>
            <translation>von Ihnen entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Position group for {v0} has been forced into the pool.</source>
            <translation>Die Positionsgruppe {v0} ist außer der Reihe in den Pool nachgerückt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} on {v1} was forced into the pool.</source>
            <translation>{v0} auf {v1} ist außer der Reihe in den Pool nachgerückt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>no signal {v0} waits in the queue</source>
            <translation>kein Signal {v0} wartet in der Warteschlange</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Running again.</source>
            <translation>Läuft wieder.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Resumed by hand.</source>
            <translation>Von Hand fortgesetzt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Paused: alerts are stored, nothing is opened; exits, targets and fills go on.</source>
            <translation>Pausiert: Alarme werden gespeichert, nichts wird eröffnet; Ausstiege, Ziele und Ausführungen gehen weiter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Paused: alerts are stored, nothing is opened.</source>
            <translation>Pausiert: Alarme werden gespeichert, nichts wird eröffnet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>Paused by hand.</source>
            <translation>Von Hand pausiert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} groups are being closed, {v1} queued signals were removed; the engine is paused.</source>
            <translation>{v0} Gruppen werden geschlossen, {v1} wartende Signale wurden entfernt; die Engine ist pausiert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>everything was closed</source>
            <translation>alles wurde geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} is free for the risk engine{v1}.</source>
            <translation>{v0} ist für die Risiko-Engine freigegeben{v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} is blocked for the risk engine{v1}.</source>
            <translation>{v0} ist für die Risiko-Engine gesperrt{v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>, skipped once</source>
            <translation>, einmal übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} on {v1} for the risk engine: blocked {v2}, skipped once {v3}.</source>
            <translation>{v0} auf {v1} für die Risiko-Engine: gesperrt {v2}, einmal übersprungen {v3}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} takes its profit {v1} now.</source>
            <translation>{v0}: Take-Profit ist jetzt {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} on {v1} takes its profit {v2} now.</source>
            <translation>{v0} auf {v1}: Take-Profit ist jetzt {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} open legs of {v1} are being cancelled.</source>
            <translation>{v0} offene Stufen von {v1} werden storniert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>The open legs of {v0} on {v1} were cancelled by hand.</source>
            <translation>Die offenen Stufen von {v0} auf {v1} wurden von Hand storniert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} is being closed.</source>
            <translation>{v0} wird geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} is closed once you resume: {v1}.</source>
            <translation>{v0} wird geschlossen, sobald Sie fortsetzen: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>{v0} on {v1} was closed by hand.</source>
            <translation>{v0} auf {v1} wurde von Hand geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/commands.py" />
            <source>there is no open group {v0}</source>
            <translation>es gibt keine offene Gruppe {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_check.py" />
            <source>is not the one that is set; copy the message with its secret anew</source>
            <translation>ist nicht das hinterlegte; kopieren Sie die Nachricht mit ihrem Geheimnis neu</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_check.py" />
            <source>is missing; the message must hold it as "secret": "…"</source>
            <translation>fehlt; die Nachricht muss es als "secret": "…" enthalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_check.py" />
            <source>is required, but none is set: set one, or switch webhook.secret_required off</source>
            <translation>ist erforderlich, aber nicht hinterlegt: hinterlegen Sie es oder schalten Sie webhook.secret_required aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_check.py" />
            <source>cannot be compared while the vault is locked; unlock it</source>
            <translation>ist bei gesperrtem Tresor nicht vergleichbar; entsperren Sie ihn</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_check.py" />
            <source>a signature is required, and TradingView cannot sign: switch webhook.signature_required off</source>
            <translation>eine Signatur ist erforderlich, und TradingView kann nicht signieren: schalten Sie webhook.signature_required aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_check.py" />
            <source>is {v0} bytes long; more than {v1} KiB are not taken</source>
            <translation>ist {v0} Bytes lang; mehr als {v1} KiB werden nicht angenommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_check.py" />
            <source>The alert fires</source>
            <translation>Der Alarm wird ausgelöst</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>Closes the short</source>
            <translation>Schließt Short</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>Sells while flat</source>
            <translation>Verkauft ohne Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>Turns from long to short</source>
            <translation>Dreht von Long auf Short</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>Closes the long</source>
            <translation>Schließt Long</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>Buys more</source>
            <translation>Kauft nach</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>Buys while flat</source>
            <translation>Kauft ohne Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>How much it holds, negative when short.</source>
            <translation>Wie viel sie hält, negativ bei short.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>How much of it, without a sign.</source>
            <translation>Wie viel davon, ohne Vorzeichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>What it held before. It tells reversals and missed alerts.</source>
            <translation>Was sie vorher hielt. Zeigt Umkehrungen und verpasste Alarme an.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>What the strategy holds after the order: long, short or flat.</source>
            <translation>Was die Strategie nach der Order hält: long, short oder flat.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>What the script gives the order as alert_message.</source>
            <translation>Was das Skript der Order als alert_message mitgibt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The order's comment in the script, or its name where there is none.</source>
            <translation>Der Kommentar der Order im Skript, oder ihr Name, wo es keinen gibt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The order's name in the script. A quotation mark in it breaks the message.</source>
            <translation>Der Name der Order im Skript. Ein Anführungszeichen darin macht die Nachricht ungültig.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The price of the strategy's own, simulated fill. It is the base price.</source>
            <translation>Der Preis der eigenen, simulierten Ausführung der Strategie. Er ist der Basispreis.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>How much the strategy orders. Not used: the grid decides how much.</source>
            <translation>Wie viel die Strategie ordert. Nicht verwendet: Das Grid bestimmt, wie viel.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>What the strategy's order does: buy or sell.</source>
            <translation>Was die Order der Strategie tut: buy oder sell.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The currency that is traded, as BTC.</source>
            <translation>Die Währung, die gehandelt wird, z. B. BTC.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The currency that the price is in, as USDT.</source>
            <translation>Die Währung, in der der Preis steht, z. B. USDT.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The first plot of the indicator; plot_1 is the second, and so on.</source>
            <translation>Der erste Plot des Indikators; plot_1 ist der zweite, und so weiter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>When the alert fired, UTC, in whole seconds. It tells the alert's age.</source>
            <translation>Wann der Alarm ausgelöst wurde, UTC, in ganzen Sekunden. Daraus folgt das Alter des Alarms.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>When the bar began, UTC. One bar older than the alert: no good as a timestamp.</source>
            <translation>Wann der Balken begann, UTC. Einen Balken älter als der Alarm: als Zeitstempel ungeeignet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's volume so far.</source>
            <translation>Das bisherige Volumen des Balkens.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's last price. It is the base price where no order price is sent.</source>
            <translation>Der letzte Preis des Balkens. Er ist der Basispreis, wo kein Orderpreis gesendet wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's lowest price so far.</source>
            <translation>Der bisher tiefste Preis des Balkens.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's highest price so far.</source>
            <translation>Der bisher höchste Preis des Balkens.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's first price.</source>
            <translation>Der erste Preis des Balkens.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The chart's timeframe, as 15 or 1D. Always 1 in price alerts and on Range charts.</source>
            <translation>Der Zeitrahmen des Charts, z. B. 15 oder 1D. In Preisalarmen und auf Range-Charts immer 1.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The chart's symbol without its exchange, as BTCUSDT, or BTCUSDT.P for a perpetual.</source>
            <translation>Das Symbol des Charts ohne Börse, z. B. BTCUSDT, oder BTCUSDT.P bei einem Perpetual.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_placeholders.py" />
            <source>The chart's exchange, as BINANCE. Delayed data end in _DL or _DLY; both are understood.</source>
            <translation>Die Börse des Charts, z. B. BINANCE. Verzögerte Daten enden auf _DL oder _DLY; beides wird verstanden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_rehearsal.py" />
            <source>opens a {v0} position with {v1} legs</source>
            <translation>eröffnet eine {v0}-Position mit {v1} Stufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_rehearsal.py" />
            <source>is a copy of alert {v0}: nothing more happens</source>
            <translation>ist ein Duplikat von Alarm {v0}: Mehr geschieht nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_rehearsal.py" />
            <source>waits until its account, price and balance are known</source>
            <translation>wartet, bis Konto, Preis und Guthaben bekannt sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_rehearsal.py" />
            <source>closes the position, then opens the other side</source>
            <translation>schließt die Position und eröffnet dann die Gegenseite</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_rehearsal.py" />
            <source>closes the position</source>
            <translation>schließt die Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_rehearsal.py" />
            <source>adds a pyramid</source>
            <translation>ergänzt eine Pyramide</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>The secret in the message is not the one that is set.</source>
            <translation>Das Geheimnis in der Nachricht ist nicht das hinterlegte.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView shows the message, secret and all, in its alert list and log.{v0}</source>
            <translation>TradingView zeigt die Nachricht samt Geheimnis in seiner Alarmliste und seinem Alarmprotokoll.{v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>The token in the URL is enough here.</source>
            <translation>Hier genügt das Token in der URL.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>“Only Once” ends the alert with its first firing, “Once Per Bar” fires before the bar is done, and more than {v0} firings in 3 minutes stop it: choose “Once Per Bar Close”.</source>
            <translation>„Nur einmal“ beendet den Alarm mit der ersten Auslösung, „Einmal pro Balken“ löst aus, bevor der Balken fertig ist, und mehr als {v0} Auslösungen in 3 Minuten stoppen ihn: Wählen Sie „Einmal pro Balkenschluss“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView stops an alert that fires more than {v0} times in 3 minutes; bars of {v1} can do that.</source>
            <translation>TradingView stoppt einen Alarm, der in 3 Minuten mehr als {v0} Mal auslöst; bei Balken von {v1} kann das vorkommen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>Nothing tells one alert from the next: two of them within {v0} s count as one. Add an id.</source>
            <translation>Nichts unterscheidet einen Alarm vom nächsten: Zwei innerhalb von {v0} s zählen als einer. Fügen Sie eine ID hinzu.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>The id does not name the symbol: on several charts, alerts of the same second count as one. Put {{ticker}} into it.</source>
            <translation>Die ID nennt das Symbol nicht: Auf mehreren Charts zählen Alarme derselben Sekunde als einer. Nehmen Sie {{ticker}} darin auf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>{{timenow}} has whole seconds: two orders of the same second have the same id, and the second is taken for a copy. Put {{strategy.order.id}} into it.</source>
            <translation>{{timenow}} hat ganze Sekunden: Zwei Orders derselben Sekunde haben dieselbe ID, und die zweite gilt als Duplikat. Nehmen Sie {{strategy.order.id}} darin auf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>The id holds no {{timenow}}: for 90 days every alert after the first is taken for its copy. Put {{timenow}} into it.</source>
            <translation>Die ID enthält kein {{timenow}}: 90 Tage lang gilt jeder Alarm nach dem ersten als dessen Duplikat. Nehmen Sie {{timenow}} darin auf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>{{interval}} is 1 on Range charts: there, write the timeframe out.</source>
            <translation>{{interval}} ist auf Range-Charts 1: Schreiben Sie den Zeitrahmen dort aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>{{interval}} is always 1 in price alerts, whatever the chart shows: write the timeframe out.</source>
            <translation>{{interval}} ist in Preisalarmen immer 1, was der Chart auch zeigt: Schreiben Sie den Zeitrahmen aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>{{{{time}}}} is when the bar began: with {v0} bars every alert seems {v1} old{v2}. Use {{{{timenow}}}}.</source>
            <translation>{{{{time}}}} ist der Beginn des Balkens: Bei {v0}-Balken wirkt jeder Alarm {v1} alt{v2}. Verwenden Sie {{{{timenow}}}}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>, and entries older than {v0} s are rejected</source>
            <translation>, und Einstiege, die älter als {v0} s sind, werden abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>Without a timestamp a late alert is taken for a new one: add "timestamp": "{{timenow}}".</source>
            <translation>Ohne Zeitstempel gilt ein verspäteter Alarm als neu: Fügen Sie "timestamp": "{{timenow}}" hinzu.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>A quotation mark or a backslash in an order's name or comment in the script breaks the message.</source>
            <translation>Ein Anführungszeichen oder ein Backslash im Namen oder Kommentar einer Order im Skript macht die Nachricht ungültig.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>{v0} stands without quotes: where TradingView puts text or NaN there, the message is no JSON any more and is refused. Quote it; numbers may be quoted.</source>
            <translation>{v0} steht ohne Anführungszeichen: Setzt TradingView dort Text oder NaN ein, ist die Nachricht kein JSON mehr und wird abgelehnt. Setzen Sie es in Anführungszeichen; auch Zahlen dürfen darin stehen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>The script writes this message itself: check here what it gives as alert_message.</source>
            <translation>Das Skript schreibt diese Nachricht selbst: Prüfen Sie hier, was es als alert_message mitgibt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>The IP allowlist leaves out TradingView's {v0}: add tradingview to it.</source>
            <translation>In der IP-Freigabeliste fehlt von TradingView {v0}: Fügen Sie tradingview hinzu.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView gives up after {v0} s and does not try again; the last check took {v1} s.</source>
            <translation>TradingView gibt nach {v0} s auf und versucht es nicht erneut; die letzte Prüfung dauerte {v1} s.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView sends over IPv4 only; the address is one of IPv6.</source>
            <translation>TradingView sendet nur über IPv4; die Adresse ist eine IPv6-Adresse.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView sends to the ports 80 and 443 only; the address has port {v0}.</source>
            <translation>TradingView sendet nur an die Ports 80 und 443; die Adresse hat Port {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>the {v0} world</source>
            <translation>die Umgebung {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>Nothing new is begun there.</source>
            <translation>Dort wird nichts Neues begonnen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>Signals that wait in the {v0} world: {v1}</source>
            <translation>Signale, die in der Umgebung {v0} warten: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>world {v0}</source>
            <translation>Umgebung {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>promoting failed: {v0}</source>
            <translation>Nachrücken fehlgeschlagen: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>The position is on hold: nothing is added to it.</source>
            <translation>Die Position ist angehalten: Nichts wird hinzugefügt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>group {v0}</source>
            <translation>Gruppe {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>its report could not be taken in: {v0}</source>
            <translation>ihr Bericht konnte nicht verarbeitet werden: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>{v0}: an internal error was contained: {v1}</source>
            <translation>{v0}: Ein interner Fehler wurde eingegrenzt: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/decide.py" />
            <source>an internal error; the log has the details</source>
            <translation>ein interner Fehler; Einzelheiten stehen im Protokoll</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be a finite number</source>
            <translation>muss eine endliche Zahl sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be true or false</source>
            <translation>muss true oder false sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>must be a whole number</source>
            <translation>muss eine ganze Zahl sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be {v0}</source>
            <translation>muss {v0} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be one of {v0}</source>
            <translation>muss eines von {v0} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be at most {v0}</source>
            <translation>darf höchstens {v0} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be below {v0}</source>
            <translation>muss kleiner als {v0} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be at least {v0}</source>
            <translation>muss mindestens {v0} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be above {v0}</source>
            <translation>muss größer als {v0} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <location filename="../../src/execution_engine/domain/typed.py" />
            <source>is missing</source>
            <translation>fehlt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be an object of names and values</source>
            <translation>muss ein Objekt aus Namen und Werten sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be a list</source>
            <translation>muss eine Liste sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must have at most {v0} entries</source>
            <translation>darf höchstens {v0} Einträge haben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>may have letters, digits, spaces and . _ - only</source>
            <translation>darf nur Buchstaben, Ziffern, Leerzeichen und . _ - enthalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must have at most {v0} characters</source>
            <translation>darf höchstens {v0} Zeichen haben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>there is no such setting</source>
            <translation>diese Einstellung gibt es nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>there is no such setting; is {v0} meant?</source>
            <translation>diese Einstellung gibt es nicht; ist {v0} gemeint?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>is {v0}, written by a newer version of this application; this one reads up to {v1}: update it, or restore an older version of the settings</source>
            <translation>ist {v0}, geschrieben von einer neueren Version dieser Anwendung; diese liest bis {v1}: Aktualisieren Sie sie oder stellen Sie eine ältere Version der Einstellungen wieder her</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be a whole number from 1 to {v0}</source>
            <translation>muss eine ganze Zahl von 1 bis {v0} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>must be an object with sections, as {"pool": {…}}</source>
            <translation>muss ein Objekt mit Abschnitten sein, z. B. {"pool": {…}}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>Unterminated string</source>
            <translation>Nicht abgeschlossene Zeichenkette</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>is not valid JSON: {v0}</source>
            <translation>ist kein gültiges JSON: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>ends too early, in line {v0}: the rest of it is missing</source>
            <translation>endet zu früh, in Zeile {v0}: Der Rest fehlt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/document.py" />
            <source>is empty</source>
            <translation>ist leer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/draft.py" />
            <source>the rules of {v0} {v1} are not known</source>
            <translation>die Regeln von {v0} {v1} sind nicht bekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/draft.py" />
            <source>there is no {v0} {v1}</source>
            <translation>{v0} {v1} gibt es nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>the grid needs</source>
            <translation>das Grid braucht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>the grid and the group's later pyramids need</source>
            <translation>das Grid und die späteren Pyramiden der Gruppe brauchen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>{v0} {v1} {v2}, the account “{v3}” has {v4} {v5} free; lower the capital or add funds</source>
            <translation>{v0} {v1} {v2}, das Konto „{v3}“ hat {v4} {v5} frei; verringern Sie das Kapital oder zahlen Sie ein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>{v0} entries were placed today (UTC), the limit of signals.max_entries_per_day</source>
            <translation>{v0} Einstiege wurden heute (UTC) platziert, das Limit von signals.max_entries_per_day</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>the market at {v0} is {v1} % worse than the base price; grid.max_slippage_percent allows {v2} %</source>
            <translation>der Markt ist bei {v0} um {v1} % schlechter als der Basispreis; grid.max_slippage_percent erlaubt {v2} %</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>the alert's price {v0} is {v1} % away from the market at {v2}; the limit is {v3} %</source>
            <translation>der Preis des Alarms, {v0}, weicht {v1} % vom Markt bei {v2} ab; das Limit ist {v3} %</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>the position is on hold: {v0}</source>
            <translation>die Position ist angehalten: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>{v0} {v1} is open {v2}; in one-way mode the account cannot hold both</source>
            <translation>{v0} {v1} ist {v2} offen; im One-Way-Modus kann das Konto nicht beides halten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>capital_usd {v0} is above the limit of {v1} USD for one group</source>
            <translation>capital_usd {v0} liegt über dem Limit von {v1} USD für eine Gruppe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>there is no grid profile “{v0}”; there are: {v1}</source>
            <translation>es gibt kein Grid-Profil „{v0}“; möglich sind: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>{v0} is not among the symbols that may be traded (signals.symbols)</source>
            <translation>{v0} gehört nicht zu den Symbolen, die gehandelt werden dürfen (signals.symbols)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <source>a spot account cannot be short</source>
            <translation>ein Spot-Konto kann nicht short sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/entry.py" />
            <location filename="../../src/execution_engine/domain/routing.py" />
            <source>account “{v0}” is disabled</source>
            <translation>Konto „{v0}“ ist deaktiviert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/grid.py" />
            <source>leg {v0} of {v1}: {v2} × leverage would be liquidated near {v3}, before this leg at {v4}; lower the leverage</source>
            <translation>Stufe {v0} von {v1}: mit Hebel {v2} × würde nahe {v3} liquidiert, noch vor dieser Stufe bei {v4}; verringern Sie den Hebel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/grid.py" />
            <source>notional {v0} {v1} is above capital.max_order_usd ({v2}); lower the capital or the weight</source>
            <translation>Nominalwert {v0} {v1} liegt über capital.max_order_usd ({v2}); verringern Sie Kapital oder Gewicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/grid.py" />
            <source>notional {v0} {v1} is below the minimum of {v2} {v3}; raise the capital or the weight</source>
            <translation>Nominalwert {v0} {v1} liegt unter dem Minimum von {v2} {v3}; erhöhen Sie Kapital oder Gewicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/grid.py" />
            <source>quantity {v0} {v1} is below the minimum of {v2} {v3}; raise the capital or the weight</source>
            <translation>Menge {v0} {v1} liegt unter dem Minimum von {v2} {v3}; erhöhen Sie Kapital oder Gewicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/grid.py" />
            <source>its price would be 0; bring its gap nearer</source>
            <translation>der Preis wäre 0; verringern Sie den Abstand</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/grid.py" />
            <source>leg {v0} of {v1}: {v2}</source>
            <translation>Stufe {v0} von {v1}: {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/hints.py" />
            <source>{v0}: the first alert with timeframe 1 from webhook “{v1}”. {{{{interval}}}} is always 1 in price alerts; write the timeframe out in the message if the chart shows another one.</source>
            <translation>{v0}: der erste Alarm mit Zeitrahmen 1 vom Webhook „{v1}“. {{{{interval}}}} ist in Preisalarmen immer 1; schreiben Sie den Zeitrahmen in der Nachricht aus, wenn der Chart einen anderen zeigt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>outside {v0}·{v1}</source>
            <translation>outside {v0}·{v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>It fits again.</source>
            <translation>Es stimmt wieder überein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>It was booked as it was traded, and the orders of its groups were cancelled.</source>
            <translation>Es wurde wie gehandelt verbucht, und die Orders der betroffenen Gruppen wurden storniert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>The exchange closed {v0} {v1} on {v2} by force.</source>
            <translation>Die Börse hat {v0} {v1} auf {v2} zwangsweise geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>The exchange had closed it by force.</source>
            <translation>Die Börse hatte die Position zwangsweise geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>liquidated by the exchange</source>
            <translation>von der Börse liquidiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>These positions are on hold: nothing is added to them.</source>
            <translation>Diese Positionen sind angehalten: Nichts wird hinzugefügt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>Somebody else traded {v0}, at {v1} on average.</source>
            <translation>Jemand anderes hat {v0} gehandelt, durchschnittlich zu {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>What is more was not opened here and is left alone.</source>
            <translation>Was darüber hinausgeht, wurde nicht hier eröffnet und bleibt unangetastet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/holdings.py" />
            <source>{v0} holds {v1} {v2}; its groups add up to {v3}.</source>
            <translation>{v0} hält {v1} {v2}; die Gruppen ergeben {v3}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/inputs.py" />
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <location filename="../../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>no market price</source>
            <translation>kein Marktpreis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>Alert {v0} ({v1} {v2}) was replayed by hand.</source>
            <translation>Alarm {v0} ({v1} {v2}) wurde von Hand erneut gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>there is no alert {v0} among the kept ones</source>
            <translation>unter den aufbewahrten gibt es keinen Alarm {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>A request was answered {v0}: {v1}</source>
            <translation>Eine Anfrage wurde mit {v0} beantwortet: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>no or wrong secret</source>
            <translation>kein oder falsches Geheimnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>reversal by alert {v0}</source>
            <translation>Umkehr durch Alarm {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>a reversal came for its key</source>
            <translation>für dasselbe Paar und denselben Zeitrahmen kam eine Umkehr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>all {v0} pyramids are there; replacement {v1}</source>
            <translation>alle {v0} Pyramiden sind da; Ersetzung {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>its key is closing</source>
            <translation>die Gruppe seines Paars und Zeitrahmens wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>alert {v0} came before it</source>
            <translation>Alarm {v0} kam dazwischen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>exit alert {v0} came before it was decided</source>
            <translation>Ausstiegsalarm {v0} kam, bevor darüber entschieden war</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>nothing is open or queued for this key</source>
            <translation>zu diesem Paar und Zeitrahmen ist nichts offen, nichts wartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>the waiting signal was removed</source>
            <translation>das wartende Signal wurde entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>exit alert {v0}</source>
            <translation>Ausstiegsalarm {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>an exit came for its key</source>
            <translation>für dasselbe Paar und denselben Zeitrahmen kam ein Ausstieg</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>opposite side is open</source>
            <translation>die Gegenseite ist offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>the alert contradicts itself: its parts name {v0}</source>
            <translation>der Alarm widerspricht sich: Seine Teile nennen {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/intake.py" />
            <source>An alert came with the id of alert {v0} but another body. It was taken for a copy; give every alert an id of its own, with {{{{timenow}}}} in it.</source>
            <translation>Ein Alarm kam mit der ID von Alarm {v0}, aber anderem Body. Er gilt als Duplikat; geben Sie jedem Alarm eine eigene ID mit {{{{timenow}}}} darin.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/keys.py" />
            <source>The account's mode on the exchange is not the one that its settings ask for.</source>
            <translation>Der Modus des Kontos an der Börse ist nicht der, den seine Einstellungen verlangen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/keys.py" />
            <source>These keys may withdraw or transfer: make keys that may only read and trade.</source>
            <translation>Diese Schlüssel dürfen auszahlen oder übertragen: Erstellen Sie Schlüssel, die nur lesen und handeln dürfen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/keys.py" />
            <source>These keys may not trade: give them that right on the exchange.</source>
            <translation>Diese Schlüssel dürfen nicht handeln: Geben Sie ihnen dieses Recht an der Börse.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/keys.py" />
            <source>These keys cannot read the account's balance.</source>
            <translation>Diese Schlüssel können das Guthaben des Kontos nicht lesen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/keys.py" />
            <source>The exchange could not be asked about these keys.</source>
            <translation>Die Börse war zu diesen Schlüsseln nicht erreichbar.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/listings.py" />
            <source>It is traded again.</source>
            <translation>Es wird wieder gehandelt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/listings.py" />
            <source>Nothing is added to these positions. They are looked after again as soon as it is traded.</source>
            <translation>Diesen Positionen wird nichts hinzugefügt. Sie werden wieder betreut, sobald gehandelt wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/listings.py" />
            <source>{v0} is not traded on {v1} any more, or not now.</source>
            <translation>{v0} wird auf {v1} nicht mehr oder zurzeit nicht gehandelt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/listings.py" />
            <source>Nothing is held there any more.</source>
            <translation>Dort wird nichts mehr gehalten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/listings.py" />
            <source>{v0} is not traded on {v1} any more, or not now</source>
            <translation>{v0} wird auf {v1} nicht mehr oder zurzeit nicht gehandelt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/market.py" />
            <source>waited {v0} s, longer than pool.max_queue_age_s</source>
            <translation>wartete {v0} s, länger als pool.max_queue_age_s</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/market.py" />
            <source>nothing filled within {v0} h</source>
            <translation>nichts innerhalb von {v0} h ausgeführt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/market.py" />
            <source>its common target was reached at {v0}</source>
            <translation>das gemeinsame Ziel wurde bei {v0} erreicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/market.py" />
            <source>{v0}: target of {v1} reached at {v2}</source>
            <translation>{v0}: Ziel von {v1} bei {v2} erreicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>{v0}, which ended {v1}: {v2}; you are {v3}.</source>
            <translation>{v0} (Ergebnis: {v1}, {v2}); Sie sind {v3}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>{v0}, which is not carried out yet; you are {v1}.</source>
            <translation>{v0}, der noch nicht umgesetzt ist; Sie sind {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>{v0}: the strategy is {v1} since alert {v2}</source>
            <translation>{v0}: Die Strategie ist {v1} seit Alarm {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>No earlier one is known.</source>
            <translation>Ein früherer ist nicht bekannt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>The last one to come was alert {v0}.</source>
            <translation>Zuletzt kam Alarm {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>{v0}: the strategy was {v1} before alert {v2}, you are {v3}: {v4} never came.</source>
            <translation>{v0}: Die Strategie war {v1} vor Alarm {v2}, Sie sind {v3}: {v4} kam nie.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>the reversal to {v0}</source>
            <translation>die Umkehr zu {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>the {v0} entry</source>
            <translation>der Einstieg {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>the exit of the {v0}</source>
            <translation>der Ausstieg aus {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>There is nothing left to make up for.</source>
            <translation>Es gibt nichts mehr nachzuholen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>Nothing is sent by itself.</source>
            <translation>Nichts wird von selbst gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>{v0}: the strategy was {v1} before alert {v2}, you are flat; no alert is missing.</source>
            <translation>{v0}: Die Strategie war {v1} vor Alarm {v2}, Sie sind flat; es fehlt kein Alarm.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>A later alert tells of another gap.</source>
            <translation>Ein späterer Alarm weist auf eine weitere Lücke hin.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>The strategy is where you are again.</source>
            <translation>Die Strategie ist wieder dort, wo Sie sind.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>The strategy has left that position since.</source>
            <translation>Die Strategie hat diese Position inzwischen verlassen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>The position is gone.</source>
            <translation>Die Position besteht nicht mehr.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/missed.py" />
            <source>The alert came after all: alert {id}.</source>
            <translation>Der Alarm kam doch noch: Alarm {id}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/netting.py" />
            <source>{v0} {v1} and {v2} {v3} on {v4} have closed {v5} of each other; it is booked at {v6}.</source>
            <translation>{v0} {v1} und {v2} {v3} auf {v4} haben sich um {v5} gegenseitig geschlossen; verbucht zu {v6}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/netting.py" />
            <source>closed by the opposite position of the same market</source>
            <translation>von der Gegenposition desselben Markts geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>{v0}: {v1} USD realized in 24 h ({v2}{v3}), {v4}, {v5}{v6} unrealized.</source>
            <translation>{v0}: {v1} USD in 24 h realisiert ({v2}{v3}), {v4}, {v5}{v6} unrealisiert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>{v0} open {v1}</source>
            <translation>{v0} offene {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: summary of {v0}</source>
            <translation>Execution Engine: Tagesbericht {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>No problems.</source>
            <translation>Keine Probleme.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>… and {v0} more.</source>
            <translation>… und {v0} weitere.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>Needs attention: {v0}</source>
            <translation>Zu beachten: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>Nothing waits in the queue.</source>
            <translation>Nichts wartet in der Warteschlange.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>Queue: {v0} waiting.</source>
            <translation>Warteschlange: {v0} wartend.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: left out</source>
            <translation>Execution Engine: ausgelassen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>{v0} {v1} left out since {v2}: {v3}. Logs has all of them.</source>
            <translation>{v0} {v1} seit {v2} ausgelassen: {v3}. Das Protokoll enthält alle.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>notifications were</source>
            <translation>Benachrichtigungen wurden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>notification was</source>
            <translation>Benachrichtigung wurde</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>{v0} other kinds</source>
            <translation>{v0} andere Arten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: act now</source>
            <translation>Execution Engine: jetzt handeln</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: error</source>
            <translation>Execution Engine: Fehler</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: warning</source>
            <translation>Execution Engine: Warnung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify.py" />
            <location filename="../../src/execution_engine/adapters/autostart.py" />
            <location filename="../../src/execution_engine/adapters/notify/services.py" />
            <source>Execution Engine</source>
            <translation>Execution Engine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Any address of apprise: Slack, Pushover, ntfy, Gotify, Matrix, Signal and some hundred more.</source>
            <translation>Jede Adresse von apprise: Slack, Pushover, ntfy, Gotify, Matrix, Signal und einige Hundert mehr.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>It is sent a JSON object with title, message and type.</source>
            <translation>Gesendet wird ein JSON-Objekt mit title, message und type.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Many providers want an app password here. Port 465 is TLS from the start, others begin it.</source>
            <translation>Viele Anbieter verlangen hier ein App-Passwort. Port 465 ist von Anfang an TLS, andere beginnen es erst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>as the user</source>
            <translation>wie der Benutzer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>Channel settings, Integrations, Webhooks, Copy webhook URL.</source>
            <translation>Kanaleinstellungen, Integrationen, Webhooks, Webhook-URL kopieren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/notify_kinds.py" />
            <source>@BotFather makes a bot and gives its token; write to the bot once, and @userinfobot tells your id.</source>
            <translation>@BotFather erstellt einen Bot und nennt dessen Token; schreiben Sie dem Bot einmal, @userinfobot nennt Ihre ID.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>sell {v0} at {v1}</source>
            <translation>Verkauf {v0} zu {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>buy {v0} at {v1}</source>
            <translation>Kauf {v0} zu {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>sell {v0} at market</source>
            <translation>Verkauf {v0} zum Marktpreis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>buy {v0} at market</source>
            <translation>Kauf {v0} zum Marktpreis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>revoked before it was sent</source>
            <translation>vor dem Senden zurückgezogen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>the exchange had this order and does not know it any more</source>
            <translation>die Börse hatte diese Order und kennt sie nicht mehr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>the exchange does not show this order</source>
            <translation>die Börse zeigt diese Order nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>looked for, not found yet</source>
            <translation>gesucht, noch nicht gefunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>was never placed</source>
            <translation>wurde nie platziert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>fills are still to come</source>
            <translation>Ausführungen stehen noch aus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/order.py" />
            <source>order {v0}: {v1} may not become {v2}</source>
            <translation>Order {v0}: {v1} darf nicht {v2} werden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/origin.py" />
            <source>exchange key check</source>
            <translation>Schlüsselprüfung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/origin.py" />
            <source>command line</source>
            <translation>Kommandozeile</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/overdue.py" />
            <source>{v0} {v1} on {v2} still holds {v3} after {v4} s{v5}</source>
            <translation>{v0} {v1} auf {v2} hält nach {v4} s noch {v3}{v5}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/plan.py" />
            <source>everything that filled was sold at its target</source>
            <translation>alles Ausgeführte wurde am Ziel verkauft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/plan.py" />
            <source>what was left was sold to pay for a loser</source>
            <translation>der Rest wurde verkauft, um einen Verlierer zu bezahlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/plan.py" />
            <source>{v0} is planned anew by the market's new rules: {v1} at {v2}.</source>
            <translation>{v0} wird nach den neuen Regeln des Markts neu geplant: {v1} zu {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/plan.py" />
            <source>{v0} is left out. {v1}</source>
            <translation>{v0} wird ausgelassen. {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/plan.py" />
            <source>By the market's new rules, its {v0}.</source>
            <translation>Nach den neuen Regeln des Markts: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>its price or balance was not known</source>
            <translation>der Preis oder das Guthaben war nicht bekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>the account “{v0}” is on hold: {v1}</source>
            <translation>das Konto „{v0}“ ist angehalten: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>the {v0} world is on hold: {v1}</source>
            <translation>die Umgebung {v0} ist angehalten: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>{v0}pool {v1} / {v2}</source>
            <translation>{v0}Pool {v1} / {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>forced into the pool;</source>
            <translation>außer der Reihe nachgerückt;</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>{v0} {v1} on {v2}: {v3} legs from {v4}</source>
            <translation>{v0} {v1} auf {v2}: {v3} Stufen ab {v4}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>a newer signal of its key was opened</source>
            <translation>ein neueres Signal desselben Paars und Zeitrahmens wurde eröffnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>others wait for the free slot</source>
            <translation>andere warten auf den freien Platz</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/pool.py" />
            <source>the pool is full</source>
            <translation>der Pool ist voll</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>the balance of “{v0}” is not known yet</source>
            <translation>das Guthaben von „{v0}“ ist noch nicht bekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>{v0} is open {v1}</source>
            <translation>{v0} ist {v1} offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>{v0} is still closing</source>
            <translation>{v0} wird noch geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>account “{v0}” is not ready</source>
            <translation>Konto „{v0}“ ist nicht bereit</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>nothing new is begun: {v0}</source>
            <translation>nichts Neues wird begonnen: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>the engine is paused; resume it first</source>
            <translation>die Engine ist pausiert; setzen Sie sie zuerst fort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>the price ran {v0} % away on the gain side</source>
            <translation>der Preis ist um {v0} % auf die Gewinnseite davongelaufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>{v0} {v1} was promoted, {v2}</source>
            <translation>{v0} {v1} ist nachgerückt, {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/promotion.py" />
            <source>by you, past the limit</source>
            <translation>durch Sie, über das Limit hinaus</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/queue.py" />
            <source>dropped from the full queue by a newer signal</source>
            <translation>von einem neueren Signal aus der vollen Warteschlange verdrängt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/queue.py" />
            <source>the pool and the queue are full ({v0} signals wait)</source>
            <translation>Pool und Warteschlange sind voll ({v0} Signale warten)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/queue.py" />
            <source>by alert {v0}</source>
            <translation>durch Alarm {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>came first</source>
            <translation>kam zuerst</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>came later</source>
            <translation>kam später</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>enters at the market</source>
            <translation>steigt zum Marktpreis ein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>replaced {v0}</source>
            <translation>{v0} ersetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>{v0} times</source>
            <translation>{v0}-mal</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>continues its open group, needs no slot</source>
            <translation>setzt seine offene Gruppe fort, braucht keinen Platz</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>passed over while its position is on hold</source>
            <translation>übergangen, solange seine Position angehalten ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>passed over while its key is open on the other side</source>
            <translation>übergangen, solange sein Paar und Zeitrahmen auf der Gegenseite offen ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/ranking.py" />
            <source>passed over while its key is closing</source>
            <translation>übergangen, solange die Gruppe seines Paars und Zeitrahmens geschlossen wird</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/read_only.py" />
            <source>Read only: nothing can be changed by hand. Switch it off in Settings, Security, first.</source>
            <translation>Nur Lesen: Von Hand kann nichts geändert werden. Schalten Sie es zuerst unter Einstellungen, Sicherheit, aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>They are left alone.</source>
            <translation>Sie bleiben unangetastet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>1 order of others rest on {v0}: {v1}.</source>
            <translation>1 fremde Order liegt auf {v0}: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>{v0} orders of others rest on {v1}: {v2}.</source>
            <translation>{v0} fremde Orders liegen auf {v1}: {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>They are gone.</source>
            <translation>Sie sind verschwunden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>it rests no more; how it ended is being looked up</source>
            <translation>liegt nicht mehr an der Börse; der Ausgang wird ermittelt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>Account {v0} cannot be read: {v1}</source>
            <translation>Konto {v0} ist nicht lesbar: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>The exchange answers again.</source>
            <translation>Die Börse antwortet wieder.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>Cannot connect to the exchange. Retrying… Entries wait; what closes is tried first.</source>
            <translation>Keine Verbindung zur Börse. Neuer Versuch läuft… Einstiege warten; was schließt, wird zuerst versucht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Approaching the exchange's rate limits. Slowing down.</source>
            <translation>Die Rate-Limits der Börse sind fast erreicht. Es wird verlangsamt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>Trading is suspended{v0}: {v1}. It goes on once the exchange was read again.</source>
            <translation>Der Handel ist ausgesetzt{v0}: {v1}. Er geht weiter, sobald die Börse erneut gelesen ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>{v0}; reading the exchange again</source>
            <translation>{v0}; die Börse wird erneut gelesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/readiness.py" />
            <source>the program was restarted</source>
            <translation>das Programm wurde neu gestartet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/recovery.py" />
            <source>Trading by these books was allowed by hand.</source>
            <translation>Der Handel mit diesen Büchern wurde von Hand erlaubt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/recovery.py" />
            <source>The books of another computer were opened.</source>
            <translation>Die Bücher eines anderen Computers wurden geöffnet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/recovery.py" />
            <source>These books were last used on another computer. If the application still runs there, end it there first: two of them would undo each other's work. No order is sent or cancelled here until you resume.</source>
            <translation>Diese Bücher wurden zuletzt auf einem anderen Computer benutzt. Falls die Anwendung dort noch läuft, beenden Sie sie zuerst dort: Zwei davon würden einander stören. Hier wird keine Order gesendet oder storniert, bis Sie fortsetzen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/recovery.py" />
            <source>no order is sent before that, because newer books may be elsewhere</source>
            <translation>vorher wird keine Order gesendet, denn anderswo kann es neuere Bücher geben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>not sent: insufficient funds</source>
            <translation>nicht gesendet: Guthaben reicht nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>{v0}: the outcome is being looked up. Nothing is sent again until it is settled.</source>
            <translation>{v0}: Der Ausgang wird ermittelt. Bis das geklärt ist, wird nichts erneut gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>{v0}: its cancel was not carried out{v1}. It goes out again in {v2} s.</source>
            <translation>{v0}: Die Stornierung wurde nicht ausgeführt{v1}. Sie geht in {v2} s erneut hinaus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>{v0} was refused: {v1}</source>
            <translation>{v0} wurde abgelehnt: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>An order of this installation is on {v0} and not in its books: {v1} {v2}.</source>
            <translation>Eine Order dieser Installation liegt auf {v0} und fehlt in den Büchern: {v1} {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>It could add risk and is being cancelled.</source>
            <translation>Sie könnte das Risiko erhöhen und wird storniert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>It is left alone until you resume: the other computer may look after it.</source>
            <translation>Sie bleibt unangetastet, bis Sie fortsetzen: Vielleicht betreut sie der andere Computer.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>It could add risk and was cancelled.{v0}</source>
            <translation>Sie könnte das Risiko erhöhen und wurde storniert.{v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>It had filled {v0}.</source>
            <translation>Ausgeführt waren {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>It can only close a position and is left alone.</source>
            <translation>Sie kann nur eine Position schließen und bleibt unangetastet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>Taken in, once each.</source>
            <translation>Verbucht, jede genau einmal.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>What it holds is closed at market.</source>
            <translation>Der Bestand wird zum Marktpreis geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>{v0}: {v1} filled or was found after its group had ended.</source>
            <translation>{v0}: {v1} wurde nach dem Ende der Gruppe ausgeführt oder gefunden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>It is taken for over; what it had filled is booked.</source>
            <translation>Sie gilt als beendet; was ausgeführt war, ist verbucht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>{v0}: the exchange had the {v1} {v2} and does not know it any more.</source>
            <translation>{v0}: Die Börse hatte die Order ({v1}, {v2}) und kennt sie nicht mehr.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>Nothing here rests on it.</source>
            <translation>Hier hängt nichts davon ab.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/reports.py" />
            <source>An order of this installation traded on {v0} and is not in its books: {v1} {v2} {v3} at {v4}.</source>
            <translation>Eine Order dieser Installation wurde auf {v0} ausgeführt und fehlt in den Büchern: {v1} {v2} {v3} zu {v4}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_candidate.py" />
            <source>its account is not known</source>
            <translation>das Konto ist nicht bekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_hindsight.py" />
            <source>by now that is the same</source>
            <translation>inzwischen macht es keinen Unterschied</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_hindsight.py" />
            <source>by now that would have cost {v0} USD</source>
            <translation>bis jetzt hätte das {v0} USD gekostet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_hindsight.py" />
            <source>by now that would have gained {v0} USD</source>
            <translation>bis jetzt hätte das {v0} USD gebracht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_hindsight.py" />
            <source>{v0}; what that would have meant is not known: a price is missing</source>
            <translation>{v0}; was das gebracht hätte, ist nicht bekannt: Ein Preis fehlt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_hindsight.py" />
            <source>It would have closed {v0} at {v1} USD with {v2}</source>
            <translation>Geschlossen worden wäre {v0} mit {v1} USD, bezahlt von {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>a close of it was refused</source>
            <translation>ihr Schließen wurde abgelehnt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>it is on hold: {v0}</source>
            <translation>sie ist angehalten: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>it was closed</source>
            <translation>sie wurde geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>it has nothing to give any more</source>
            <translation>sie kann nichts mehr beitragen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>the loser was closed by something else first</source>
            <translation>der Verlierer wurde vorher anderweitig geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>its order never reached the exchange</source>
            <translation>die Order hat die Börse nie erreicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>its first order never reached the exchange</source>
            <translation>die erste Order hat die Börse nie erreicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>its group has moved to history</source>
            <translation>die Gruppe ist bereits im Verlauf</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>, the loser lost {v0} USD</source>
            <translation>, der Verlierer verlor {v0} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>winners gave {v0} USD</source>
            <translation>Gewinner brachten {v0} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>Offset of {v0}</source>
            <translation>Ausgleich von {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>{v0} USD are left</source>
            <translation>{v0} USD bleiben übrig</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>{v0} USD were not made up</source>
            <translation>{v0} USD wurden nicht ausgeglichen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>its loss was paid for by winners</source>
            <translation>ihr Verlust wurde von Gewinnern bezahlt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>{v0} USD are missing</source>
            <translation>{v0} USD fehlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>it is not needed any more</source>
            <translation>sie wird nicht mehr gebraucht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>the loser is on hold: {v0}</source>
            <translation>der Verlierer ist angehalten: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>the loser was blocked</source>
            <translation>der Verlierer wurde gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>{v0}; a fill came after its end</source>
            <translation>{v0}; eine Ausführung kam nach dem Ende</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>the program was restarted before anything was sent</source>
            <translation>das Programm wurde neu gestartet, bevor etwas gesendet war</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_offset.py" />
            <source>Offset planned: {v0}.</source>
            <translation>Ausgleich geplant: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_plan.py" />
            <source>{v0}; nothing happens</source>
            <translation>{v0}; nichts geschieht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_plan.py" />
            <source>{v0}; a part of it is closed</source>
            <translation>{v0}; ein Teil davon wird geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_plan.py" />
            <source>; the winners can give {v0} USD; {v1} USD are missing</source>
            <translation>; die Gewinner können {v0} USD beitragen; {v1} USD fehlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_plan.py" />
            <source>{v0} winners give {v1} USD</source>
            <translation>{v0} Gewinner bringen {v1} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_plan.py" />
            <source>1 winner gives {v0} USD</source>
            <translation>1 Gewinner bringt {v0} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_plan.py" />
            <source>{v0} needs {v1} USD</source>
            <translation>{v0} braucht {v1} USD</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_plan.py" />
            <source>no group can be the loser</source>
            <translation>keine Gruppe kann Verlierer sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_plan.py" />
            <source>the groups that could be the loser are skipped once</source>
            <translation>die Gruppen, die Verlierer sein könnten, werden einmal übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>not skipped</source>
            <translation>nicht übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>skipped the next time</source>
            <translation>wird beim nächsten Mal übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Is not skipped once</source>
            <translation>Wird nicht 1× übersprungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>not blocked</source>
            <translation>nicht gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Is not blocked</source>
            <translation>Ist nicht gesperrt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>below the exchange's minimum, or without a price</source>
            <translation>unter dem Minimum der Börse oder ohne Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>all of it can be sold</source>
            <translation>alles davon ist verkäuflich</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Is large enough to be sold</source>
            <translation>Ist groß genug zum Verkaufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Is old enough</source>
            <translation>Ist alt genug</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Has lost enough</source>
            <translation>Hat genug verloren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Its timer has expired</source>
            <translation>Der Timer ist abgelaufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Has all its pyramids</source>
            <translation>Hat alle Pyramiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>No entry leg is working</source>
            <translation>Keine Einstiegsstufe ist aktiv</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>a close would get {v0} {v1}</source>
            <translation>ein Schließen brächte {v0} {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Has a fresh price</source>
            <translation>Hat einen aktuellen Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>nothing holds it</source>
            <translation>nichts hält sie an</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Is not on hold</source>
            <translation>Ist nicht angehalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Is not closing</source>
            <translation>Wird nicht geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>Has a position</source>
            <translation>Hat eine Position</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>{v0} min old; asked are more than {v1} min</source>
            <translation>{v0} min alt; verlangt sind mehr als {v1} min</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>runs until {v0} UTC</source>
            <translation>läuft bis {v0} UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>expired {v0} UTC</source>
            <translation>abgelaufen {v0} UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>not started; it starts when {v0}</source>
            <translation>nicht gestartet; startet, wenn {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>all legs were submitted</source>
            <translation>alle Stufen gesendet sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>{v0} of {v1} pyramids</source>
            <translation>{v0} von {v1} Pyramiden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>no entry leg is working</source>
            <translation>keine Einstiegsstufe ist aktiv</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>holds {v0} {v1}</source>
            <translation>hält {v0} {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>{v0} % now; asked is {v1} % or less</source>
            <translation>jetzt {v0} %; verlangt sind {v1} % oder weniger</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>no result without a position and a fresh price</source>
            <translation>kein Ergebnis ohne Position und aktuellen Preis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_rules.py" />
            <source>not asked by the settings</source>
            <translation>von den Einstellungen nicht verlangt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>{v0} {v1} was skipped once by the risk engine.</source>
            <translation>{v0} {v1} wurde von der Risiko-Engine einmal übersprungen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>{v0}; a rehearsal, nothing was sent</source>
            <translation>{v0}; ein Probelauf, nichts wurde gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>the world is on hold: {v0}</source>
            <translation>die Umgebung ist angehalten: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>an offset is under way already</source>
            <translation>ein Ausgleich läuft bereits</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>the engine is paused</source>
            <translation>die Engine ist pausiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>the risk engine is switched off (risk.enabled)</source>
            <translation>die Risiko-Engine ist ausgeschaltet (risk.enabled)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_run.py" />
            <source>The risk engine was run by hand. {v0}</source>
            <translation>Die Risiko-Engine wurde von Hand gestartet. {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_words.py" />
            <source>together {v0} USD, closing fees of {v1} USD included</source>
            <translation>zusammen {v0} USD, einschließlich {v1} USD Schließgebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_words.py" />
            <source>{v0} {v1} on {v2}: close {v3} at {v4}, {v5} USD; {v6} stay open</source>
            <translation>{v0} {v1} auf {v2}: {v3} zu {v4} schließen, {v5} USD; {v6} bleiben offen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/risk_words.py" />
            <source>; only rehearsed, nothing is sent</source>
            <translation>; nur Probelauf, nichts wird gesendet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/routing.py" />
            <source>no enabled account trades {v0} {v1}</source>
            <translation>kein aktiviertes Konto handelt {v0} {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/routing.py" />
            <source>account “{v0}” ({v1}) does not trade {v2} {v3}</source>
            <translation>Konto „{v0}“ ({v1}) handelt {v2} {v3} nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/routing.py" />
            <source>account “{v0}” does not exist or this webhook may not use it</source>
            <translation>Konto „{v0}“ existiert nicht oder dieser Webhook darf es nicht nutzen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>must be {v0} {v1}</source>
            <translation>muss {v0} {v1} sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>at least</source>
            <translation>mindestens</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>up to</source>
            <translation>bis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>yes or no</source>
            <translation>ja oder nein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/schema.py" />
            <source>whole number</source>
            <translation>ganze Zahl</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Places outside that are told, by name; their addresses are secret.</source>
            <translation>Orte außerhalb, an die gemeldet wird, nach Name; ihre Adressen sind geheim.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Send it the daily summary.</source>
            <translation>Ihm den Tagesbericht senden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Kinds it is never told; none: as for all.</source>
            <translation>Arten, die ihm nie gemeldet werden; keine: wie für alle.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Kinds it is told besides; none: as for all.</source>
            <translation>Arten, die ihm zusätzlich gemeldet werden; keine: wie für alle.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Least level that it is told; none: as for all.</source>
            <translation>Niedrigster Level, der ihm gemeldet wird; keiner: wie für alle.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Tell it anything at all.</source>
            <translation>Ihm überhaupt etwas melden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Symbols and timeframes with a profile of their own.</source>
            <translation>Symbole und Zeitrahmen mit einem eigenen Profil.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Named grids.</source>
            <translation>Benannte Grids.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>The grid profile that these symbols use.</source>
            <translation>Das Grid-Profil, das diese Symbole nutzen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Pattern of timeframes, as 15m.</source>
            <translation>Muster für Zeitrahmen, z. B. 15m.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Pattern of symbols, as BTC*; optionally BINANCE:BTC*.</source>
            <translation>Muster für Symbole, z. B. BTC*; wahlweise BINANCE:BTC*.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>weights add up to {v0} %; {v1}</source>
            <translation>Summe der Gewichte: {v0} %; {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>{v0} % are too much</source>
            <translation>{v0} % sind zu viel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>{v0} % are missing</source>
            <translation>{v0} % fehlen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>gap of leg {v0} must be below {v1} %</source>
            <translation>Abstand von Stufe {v0} muss unter {v1} % liegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>gap of leg {v0} must be 0 or below</source>
            <translation>Abstand von Stufe {v0} muss 0 oder kleiner sein</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>gap of leg {v0} must be above −100 %</source>
            <translation>Abstand von Stufe {v0} muss über −100 % liegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>a grid has 1 to 50 legs</source>
            <translation>ein Grid hat 1 bis 50 Stufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Profit at which the leg closes.</source>
            <translation>Gewinn, bei dem die Stufe geschlossen wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Share of the group's capital.</source>
            <translation>Anteil am Kapital der Gruppe.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settings.py" />
            <source>Distance from the base price; negative is below it for a long.</source>
            <translation>Abstand vom Basispreis; negativ liegt bei Long darunter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>{v0}: an order filled or was found after the group had ended; what it holds is closed at market.</source>
            <translation>{v0}: Eine Order wurde nach dem Ende der Gruppe ausgeführt oder gefunden; der Bestand wird zum Marktpreis geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>an order filled or was found after the group had ended</source>
            <translation>eine Order wurde nach dem Ende der Gruppe ausgeführt oder gefunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>its group was closed first</source>
            <translation>die Gruppe wurde vorher geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>nothing had filled; its orders were cancelled</source>
            <translation>nichts war ausgeführt; die Orders wurden storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>pyramid {v0} of {v1}</source>
            <translation>Pyramide {v0} von {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>cancelled before it was sent</source>
            <translation>vor dem Senden storniert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>its group was closed before it was placed</source>
            <translation>die Gruppe wurde vor dem Platzieren geschlossen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>the exchange took no leg</source>
            <translation>die Börse hat keine Stufe angenommen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>no leg was placed</source>
            <translation>keine Stufe wurde platziert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/settle.py" />
            <source>its entries were cancelled before anything filled</source>
            <translation>die Einstiege wurden storniert, bevor etwas ausgeführt war</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>{v0} free, but nothing that waits can go now: each row says why.</source>
            <translation>{v0} frei, aber nichts Wartendes kann jetzt nachrücken: Jede Zeile nennt den Grund.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>{v0} slots are</source>
            <translation>{v0} Plätze sind</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>A slot is</source>
            <translation>Ein Platz ist</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>{v0}: the first goes as soon as one is free{v1}.</source>
            <translation>{v0}: Das erste Signal rückt nach, sobald einer frei ist{v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>; the risk engine rehearses and frees none</source>
            <translation>; die Risiko-Engine ist im Probelauf und macht keinen frei</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>All {v0} slots are used</source>
            <translation>Alle {v0} Plätze sind belegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>its account {v0}</source>
            <translation>sein Konto {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>{v0} {v1}{v2}. Its signals wait.</source>
            <translation>{v0} {v1}{v2}. Seine Signale warten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>its balance is not known</source>
            <translation>sein Guthaben ist nicht bekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>The balance of {v0} is not known yet. Its signals wait.</source>
            <translation>Das Guthaben von {v0} ist noch nicht bekannt. Seine Signale warten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>The day's limit of {v0} is reached: nothing is promoted or forced before 00:00 UTC.</source>
            <translation>Das Tageslimit ({v0}) ist erreicht: Vor 00:00 UTC rückt nichts nach, auch nicht außer der Reihe.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>On hold, nothing is promoted or forced: {v0}.</source>
            <translation>Angehalten, nichts rückt nach, auch nicht außer der Reihe: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>Paused: nothing is promoted or forced until you resume.</source>
            <translation>Pausiert: Nichts rückt nach, auch nicht außer der Reihe, bis Sie fortsetzen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>is being read</source>
            <translation>wird gelesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/standstill.py" />
            <source>is disabled</source>
            <translation>ist deaktiviert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/symbols.py" />
            <source>unknown symbol {v0} on {v1}{v2}</source>
            <translation>unbekanntes Symbol {v0} auf {v1}{v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/symbols.py" />
            <source>unknown exchange {v0}; there are: {v1}</source>
            <translation>unbekannte Börse {v0}; möglich sind: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/symbols.py" />
            <source>{v0} is not of the exchange {v1}</source>
            <translation>{v0} gehört nicht zur Börse {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/templates.py" />
            <source>Many positions and pyramids, entries at market, signals may turn a position round; losers are given more room. Far more can be at stake than the capital.</source>
            <translation>Viele Positionen und Pyramiden, Einstiege zum Marktpreis, Signale dürfen eine Position umkehren; Verlierer erhalten mehr Spielraum. Es kann weit mehr auf dem Spiel stehen als das Kapital.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/templates.py" />
            <source>The values this application starts with: ten positions, each pyramid with capital of its own.</source>
            <translation>Die Werte, mit denen diese Anwendung beginnt: zehn Positionen, jede Pyramide mit eigenem Kapital.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/templates.py" />
            <source>Few positions, one capital shared by all pyramids, never more at stake than the capital; a loser is cut early.</source>
            <translation>Wenige Positionen, ein Kapital für alle Pyramiden gemeinsam, nie mehr auf dem Spiel als das Kapital; ein Verlierer wird früh geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>There is no webhook “{v0}”.</source>
            <translation>Es gibt keinen Webhook „{v0}“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>{v0} {v1} only</source>
            <translation>nur {v0} {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>A token has at least {v0} letters and digits, made by chance.</source>
            <translation>Ein Token hat mindestens {v0} zufällig erzeugte Buchstaben und Ziffern.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>There is a webhook “{v0}” already.</source>
            <translation>Es gibt bereits einen Webhook „{v0}“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>A webhook's name has up to 32 letters, digits, spaces, “.”, “-” and “_”, and begins with a letter or a digit.</source>
            <translation>Ein Webhook-Name hat bis zu 32 Buchstaben, Ziffern, Leerzeichen, „.“, „-“ und „_“ und beginnt mit einem Buchstaben oder einer Ziffer.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} may use {v1} now.</source>
            <translation>Webhook {v0} darf jetzt {v1} nutzen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} is called {v1} now.</source>
            <translation>Webhook {v0} heißt jetzt {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} was revoked; what is sent to it is refused.</source>
            <translation>Webhook {v0} wurde zurückgezogen; was an ihn gesendet wird, wird abgelehnt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} has a new token; the old one {v1}.</source>
            <translation>Webhook {v0} hat ein neues Token; das alte {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>is wrong from now on</source>
            <translation>gilt ab jetzt nicht mehr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>counts until {v0} UTC</source>
            <translation>gilt bis {v0} UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>The old token may count for 0 seconds to {v0} days more.</source>
            <translation>Das alte Token darf noch 0 Sekunden bis {v0} Tage gelten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} was added; it may use {v1}.</source>
            <translation>Webhook {v0} wurde hinzugefügt; er darf {v1} nutzen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/token_commands.py" />
            <source>There are {v0} webhooks already; revoke one first.</source>
            <translation>Es gibt bereits {v0} Webhooks; ziehen Sie zuerst einen zurück.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/typed.py" />
            <source>must be written with all its digits, without an exponent</source>
            <translation>muss mit allen Ziffern geschrieben sein, ohne Exponent</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/typed.py" />
            <source>write thousands without marks: {v0}</source>
            <translation>schreiben Sie Tausender ohne Trennzeichen: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/typed.py" />
            <source>“{v0}” can be read as {v1}{v2} and as {v3}.{v4}: write it one of these ways</source>
            <translation>„{v0}“ lässt sich als {v1}{v2} und als {v3}.{v4} lesen: Schreiben Sie es auf eine dieser Arten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/updates.py" />
            <source>The release document names {v0}; {v1} runs here. Older ones are not offered.</source>
            <translation>Das Release-Dokument nennt {v0}; hier läuft {v1}. Ältere werden nicht angeboten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/updates.py" />
            <source>The release document names {v0}, but {v1} was seen before. Somebody shows an old one, or that version was taken back; nothing is offered.</source>
            <translation>Das Release-Dokument nennt {v0}, aber {v1} wurde schon gesehen. Jemand zeigt ein altes, oder jene Version wurde zurückgenommen; nichts wird angeboten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/updates.py" />
            <source>The release document is not understood: {v0}: {v1}.</source>
            <translation>Das Release-Dokument ist nicht verständlich: {v0}: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/updates.py" />
            <source>the document</source>
            <translation>das Dokument</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/versions.py" />
            <source>Version {v0} cannot be read.</source>
            <translation>Version {v0} ist nicht lesbar.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/versions.py" />
            <source>There is no version {v0} of the settings; there are 0 to {v1}.</source>
            <translation>Es gibt keine Version {v0} der Einstellungen; es gibt 0 bis {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/versions.py" />
            <source>this version cannot be read</source>
            <translation>diese Version ist nicht lesbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/versions.py" />
            <location filename="../../src/execution_engine/core.py" />
            <source>the defaults</source>
            <translation>die Standardwerte</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/way_in.py" />
            <source>It was not checked yet.</source>
            <translation>Es wurde noch nicht geprüft.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/way_in.py" />
            <source>There is no public address: TradingView cannot reach this machine.</source>
            <translation>Es gibt keine öffentliche Adresse: TradingView kann diesen Rechner nicht erreichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/domain/way_in.py" />
            <source>No tunnel is wanted.</source>
            <translation>Kein Tunnel gewünscht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/looks.py" />
            <source>the call broke off</source>
            <translation>der Aufruf brach ab</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/pulse.py" />
            <source>the clock was set back by {v0}</source>
            <translation>die Uhr wurde um {v0} zurückgestellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/pulse.py" />
            <source>the machine slept, or its clock was set forward, by {v0}</source>
            <translation>Ruhezustand des Rechners oder vorgestellte Uhr: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/pulse.py" />
            <source>the program stood still for {v0}</source>
            <translation>das Programm stand {v0} still</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/running.py" />
            <source>{v0}: slowed down by the exchange's rate limits</source>
            <translation>{v0}: von den Rate-Limits der Börse verlangsamt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/running.py" />
            <source>{v0}: the exchange does not answer{v1}</source>
            <translation>{v0}: Die Börse antwortet nicht{v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/running.py" />
            <source>; tried again at {v0} UTC</source>
            <translation>; neuer Versuch um {v0} UTC</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/running.py" />
            <source>the task “{v0}” failed</source>
            <translation>die Aufgabe „{v0}“ ist fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/running.py" />
            <location filename="../../src/execution_engine/core.py" />
            <source>reconcile {v0}</source>
            <translation>{v0} abgleichen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/state.py" />
            <source>`decide {v0} {v1}`</source>
            <translation>`decide {v0} {v1}`</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/state.py" />
            <source>{v0} Decide with {v1}.</source>
            <translation>{v0} Entscheiden Sie mit {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/state.py" />
            <source>no fresh price of {v0}{v1} for {v2} s; nothing is opened there</source>
            <translation>seit {v2} s kein aktueller Preis für {v0}{v1}; dort wird nichts eröffnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/state.py" />
            <source>and {v0} more</source>
            <translation>und {v0} weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/state.py" />
            <source>paused by you</source>
            <translation>von Ihnen pausiert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/engine/tasks.py" />
            <source>what it waited for was cancelled</source>
            <translation>worauf gewartet wurde, ist abgebrochen worden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/autostart.py" />
            <source>{v0} cannot be {v1} when you log in ({v2}).</source>
            <translation>Der Start von {v0} bei der Anmeldung lässt sich nicht {v1} ({v2}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/autostart.py" />
            <source>kept from starting</source>
            <translation>ausschalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/autostart.py" />
            <source>set to start</source>
            <translation>einschalten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/autostart.py" />
            <source>[Desktop Entry]
Type=Application
Name={v0}
Exec={v1}
Icon={v2}
Terminal=false
X-GNOME-Autostart-enabled=true</source>
            <translation>[Desktop Entry]
Type=Application
Name={v0}
Exec={v1}
Icon={v2}
Terminal=false
X-GNOME-Autostart-enabled=true</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>The account's mode on OKX is `spot`: perpetuals need one of the futures modes.</source>
            <translation>Der Modus des Kontos auf OKX ist `spot`: Perpetuals brauchen einen der Futures-Modi.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>This is no unified trading account; change it on Bybit first.</source>
            <translation>Dies ist kein Unified Trading Account; ändern Sie das zuerst auf Bybit.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>These keys are not of this mode: were they made for another one ({v0})?</source>
            <translation>Diese Schlüssel gehören nicht zu diesem Modus: Wurden sie für einen anderen erstellt ({v0})?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>The account is in {v0} mode on {v1}, but the settings ask for {v2} mode.</source>
            <translation>Das Konto ist auf {v1} im Modus {v0}, aber die Einstellungen verlangen den Modus {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>This is a unified trading account, which this application does not trade on KuCoin yet: make the keys for a classic account.</source>
            <translation>Dies ist ein Unified Trading Account, mit dem diese Anwendung auf KuCoin noch nicht handelt: Erstellen Sie die Schlüssel für ein klassisches Konto.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>{v0} has no {v1} mode for {v2}.</source>
            <translation>{v0} hat keinen Modus {v1} für {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>USDT perpetuals</source>
            <translation>USDT-Perpetuals</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>{v0}: the mark of simulated trading does not fit this account</source>
            <translation>{v0}: Die Kennzeichnung für simulierten Handel passt nicht zu diesem Konto</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>{v0}: {v1} is not of this account's environment</source>
            <translation>{v0}: {v1} gehört nicht zur Umgebung dieses Kontos</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>the key of the stream ran out</source>
            <translation>der Schlüssel des Datenstroms ist abgelaufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>{v0} asked to be left alone until {v1} UTC.</source>
            <translation>{v0} will bis {v1} UTC keine Anfragen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>what a call heard</source>
            <translation>was ein Aufruf empfing</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>{v0} has no market {v1}</source>
            <translation>{v0} hat keinen Markt {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The request broke off.</source>
            <translation>Die Anfrage brach ab.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <location filename="../../src/execution_engine/adapters/exchanges/paper_answers.py" />
            <source>There is no such order.</source>
            <translation>Diese Order gibt es nicht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>Its trades are there, the order is not.</source>
            <translation>Ihre Trades sind da, die Order nicht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The look-up broke off.</source>
            <translation>Die Ermittlung brach ab.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The cancel was acknowledged and is not to be seen yet.</source>
            <translation>Die Stornierung wurde bestätigt und ist noch nicht zu sehen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The exchange's answer to the cancel is none.</source>
            <translation>Die Börse hat auf die Stornierung nichts Brauchbares geantwortet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The exchange's answer does not name this order.</source>
            <translation>Die Antwort der Börse nennt diese Order nicht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The keys of this account are not available: unlock the vault.</source>
            <translation>Die Schlüssel dieses Kontos sind nicht verfügbar: Entsperren Sie den Tresor.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_find.py" />
            <source>{v0} sent something that is no order.</source>
            <translation>{v0} hat etwas gesendet, das keine Order ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>OKX sent a balance without an account.</source>
            <translation>OKX hat ein Guthaben ohne Konto gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>Bybit sent a balance without an account.</source>
            <translation>Bybit hat ein Guthaben ohne Konto gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent something that is no balance.</source>
            <translation>{v0} hat etwas gesendet, das kein Guthaben ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>KuCoin's list has no end.</source>
            <translation>Die Liste von KuCoin hat kein Ende.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>Binance's list has no end.</source>
            <translation>Die Liste von Binance hat kein Ende.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>OKX's list has no end.</source>
            <translation>Die Liste von OKX hat kein Ende.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>Bybit's list has no end.</source>
            <translation>Die Liste von Bybit hat kein Ende.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>Binance sent an answer without a list.</source>
            <translation>Binance hat eine Antwort ohne Liste gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent an answer without a list.</source>
            <translation>{v0} hat eine Antwort ohne Liste gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent an answer without {v1}.</source>
            <translation>{v0} hat eine Antwort ohne {v1} gesendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent something that is no answer.</source>
            <translation>{v0} hat etwas gesendet, das keine Antwort ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent something that is no answer (HTTP {v1}).</source>
            <translation>{v0} hat etwas gesendet, das keine Antwort ist (HTTP {v1}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_live.py" />
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_prices.py" />
            <source>unknown symbol</source>
            <translation>unbekanntes Symbol</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_markets.py" />
            <source>The markets of {v0} could not be read ({v1}).</source>
            <translation>Die Märkte von {v0} konnten nicht gelesen werden ({v1}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_markets.py" />
            <source>{v0}: {v1} is not of this environment</source>
            <translation>{v0}: {v1} gehört nicht zu dieser Umgebung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_markets.py" />
            <source>there are none</source>
            <translation>es gibt keine</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_markets.py" />
            <source>{v0} has no {v1} mode for {v2}</source>
            <translation>{v0} hat keinen Modus {v1} für {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_own.py" />
            <source>the stream did not begin</source>
            <translation>der Datenstrom hat nicht begonnen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_prices.py" />
            <source>the stream said nothing any more</source>
            <translation>der Datenstrom sagte nichts mehr</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>OKX does not tell leverage and modes.</source>
            <translation>OKX gibt Hebel und Modi nicht an.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>Bybit does not tell leverage and modes that this application knows.</source>
            <translation>Bybit gibt keine Hebel und Modi an, die diese Anwendung kennt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>Binance does not tell leverage and modes.</source>
            <translation>Binance gibt Hebel und Modi nicht an.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>{v0} has {v1} on {v2}, but the settings ask for {v3}; nothing new is opened there.</source>
            <translation>Auf {v0} gilt für {v2}: {v1}, aber die Einstellungen verlangen {v3}; dort wird nichts Neues eröffnet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>leverage {v0}, {v1} margin and the {v2} position mode</source>
            <translation>Hebel {v0}, Margin {v1} und Positionsmodus {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>{v0} takes whole leverages only, not {v1}.</source>
            <translation>{v0} nimmt nur ganze Hebel an, nicht {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>the {v0} position mode</source>
            <translation>Positionsmodus {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>{v0} margin</source>
            <translation>Margin {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>leverage {v0}</source>
            <translation>Hebel {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/feeds.py" />
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The price must be above zero.</source>
            <translation>Der Preis muss über null liegen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/feeds.py" />
            <source>The price has more than {v0} digits.</source>
            <translation>Der Preis hat mehr als {v0} Ziffern.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/feeds.py" />
            <source>The price must be a number above zero, such as 64000.5.</source>
            <translation>Der Preis muss eine Zahl über null sein, z. B. 64000.5.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/feeds.py" />
            <source>No exchange has a market {v0}.</source>
            <translation>Keine Börse hat einen Markt {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>a spot market has a contract size and a leverage of 1.</source>
            <translation>ein Spot-Markt hat Kontraktgröße und Hebel 1.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`market_max_qty` is below the least quantity.</source>
            <translation>`market_max_qty` liegt unter der Mindestmenge.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`max_qty` is below `min_qty`.</source>
            <translation>`max_qty` liegt unter `min_qty`.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`min_qty` is no multiple of `step`.</source>
            <translation>`min_qty` ist kein Vielfaches von `step`.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>a perpetual's symbol ends in `.P`, a spot symbol does not.</source>
            <translation>das Symbol eines Perpetuals endet auf `.P`, ein Spot-Symbol nicht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` must not be below zero.</source>
            <translation>`{v0}` darf nicht unter null liegen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` must be above zero.</source>
            <translation>`{v0}` muss über null liegen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` must be a number, written as text.</source>
            <translation>`{v0}` muss eine Zahl sein, als Text geschrieben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`source` must be {v0}.</source>
            <translation>`source` muss {v0} sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`market` must be spot or swap.</source>
            <translation>`market` muss spot oder swap sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` must be a word.</source>
            <translation>`{v0}` muss ein Wort sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` is not a field.</source>
            <translation>`{v0}` ist kein Feld.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` is missing.</source>
            <translation>`{v0}` fehlt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>{v0}: it is there twice.</source>
            <translation>{v0}: ist zweimal vorhanden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>Entry {v0} is not an object.</source>
            <translation>Eintrag {v0} ist kein Objekt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`instruments` is empty.</source>
            <translation>`instruments` ist leer.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`date` must be a day, written as 2026-01-31.</source>
            <translation>`date` muss ein Tag sein, z. B. 2026-01-31.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>It must be an object with a list `instruments`.</source>
            <translation>Muss ein Objekt mit einer Liste `instruments` sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>It is not valid JSON: {v0}.</source>
            <translation>Kein gültiges JSON: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>It can't be read: {v0}.</source>
            <translation>Nicht lesbar: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>{v0} can't be used. {v1}</source>
            <translation>{v0} ist nicht verwendbar. {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper.py" />
            <location filename="../../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>There is no account {v0}.</source>
            <translation>Es gibt kein Konto {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper.py" />
            <source>The paper exchange failed on this request; the log has the details.</source>
            <translation>Die Paper-Börse scheiterte an dieser Anfrage; Einzelheiten stehen im Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>There are {v0} open orders in this market, more are not allowed.</source>
            <translation>Es gibt {v0} offene Orders in diesem Markt, mehr sind nicht erlaubt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The order's value {v0} is below the minimum of {v1} {v2}.</source>
            <translation>Der Orderwert {v0} liegt unter dem Minimum von {v1} {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>There is no position that this reduce-only order could close.</source>
            <translation>Es gibt keine Position, die diese Reduce-Only-Order schließen könnte.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>There are no reduce-only orders on spot.</source>
            <translation>Auf Spot gibt es keine Reduce-Only-Orders.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The price {v0} is no multiple of the tick {v1}.</source>
            <translation>Der Preis {v0} ist kein Vielfaches der Tickgröße {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The price is higher than any market's.</source>
            <translation>Der Preis ist höher als der jedes Marktes.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity {v0} is above the maximum of {v1} {v2}.</source>
            <translation>Die Menge {v0} liegt über dem Maximum von {v1} {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity {v0} is below the minimum of {v1} {v2}.</source>
            <translation>Die Menge {v0} liegt unter dem Minimum von {v1} {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity {v0} is no multiple of the step {v1}.</source>
            <translation>Die Menge {v0} ist kein Vielfaches der Schrittgröße {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity is larger than any market.</source>
            <translation>Die Menge ist größer als jeder Markt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity must be above zero.</source>
            <translation>Die Menge muss größer als null sein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>The paper exchange's file {v0} can't {v1}: {v2}.</source>
            <translation>Die Datei {v0} der Paper-Börse kann nicht {v1} werden: {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>it was written by a newer version of the application</source>
            <translation>sie wurde von einer neueren Version der Anwendung geschrieben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>be written</source>
            <translation>geschrieben</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>be read</source>
            <translation>gelesen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>The paper exchange is closed.</source>
            <translation>Die Paper-Börse ist geschlossen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>paper store</source>
            <translation>Paper-Speicher</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>be opened</source>
            <translation>geöffnet</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>The order needs {v0} {v1}, {v2} is free.</source>
            <translation>Die Order braucht {v0} {v1}, frei sind {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>{v0} has no {v1} market {v2}.</source>
            <translation>{v0} hat keinen {v1}-Markt {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>The client order id {v0} was used before.</source>
            <translation>Die Client-Order-ID {v0} wurde bereits verwendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/synthetic.py" />
            <source>synthetic prices</source>
            <translation>synthetische Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>at market</source>
            <translation>zum Marktpreis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>the price {v0} is no multiple of {v1}</source>
            <translation>der Preis {v0} ist kein Vielfaches von {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>the quantity {v0} is no multiple of {v1}</source>
            <translation>die Menge {v0} ist kein Vielfaches von {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>The rules of this market are read again.</source>
            <translation>Die Regeln dieses Marktes werden erneut gelesen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>It took them before: they were revoked, have expired, lost a right, or are bound to another address.</source>
            <translation>Die Börse nahm sie zuvor an: Sie wurden zurückgezogen, sind abgelaufen, haben ein Recht verloren oder sind an eine andere Adresse gebunden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>The account's position mode on the exchange is another one than the settings ask for.</source>
            <translation>Der Positionsmodus des Kontos an der Börse ist ein anderer, als die Einstellungen verlangen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>The exchange takes only orders that close a position, in this market or from this account.</source>
            <translation>Die Börse nimmt in diesem Markt oder von diesem Konto nur Orders an, die eine Position schließen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>The exchange does not trade this market any more, or not now.</source>
            <translation>Die Börse handelt diesen Markt nicht mehr oder zurzeit nicht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>An unknown exchange error occurred. The full answer is in the log.</source>
            <translation>Unbekannter Fehler der Börse. Die vollständige Antwort steht im Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Cannot connect to the exchange. Retrying…</source>
            <translation>Keine Verbindung zur Börse. Neuer Versuch…</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Order validation failed (size or price). See the log for details.</source>
            <translation>Die Order ist ungültig (Menge oder Preis). Einzelheiten im Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Insufficient funds on the exchange to place the order.</source>
            <translation>Das Guthaben an der Börse reicht für diese Order nicht aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Invalid API credentials. Please check your keys in Settings.</source>
            <translation>Ungültige API-Zugangsdaten. Bitte prüfen Sie Ihre Schlüssel in den Einstellungen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/log_files.py" />
            <source>The log cannot be written: {v0}.</source>
            <translation>Das Protokoll ist nicht schreibbar: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/notify/courier.py" />
            <source>no answer within {v0} s</source>
            <translation>keine Antwort innerhalb von {v0} s</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/notify/courier.py" />
            <source>tell {v0}</source>
            <translation>tell {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/notify/courier.py" />
            <source>there is no room for more</source>
            <translation>kein Platz für weitere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/notify/services.py" />
            <source>the service did not take it</source>
            <translation>der Dienst nahm sie nicht an</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/notify/services.py" />
            <source>“{v0}” speaks to this machine only; notices of the desktop have a switch of their own.</source>
            <translation>„{v0}“ erreicht nur diesen Rechner; für Hinweise des Desktops gibt es einen eigenen Schalter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/notify/services.py" />
            <source>This is no address that is understood. Examples: tgram://token/chat, discord://id/token, mailto://user:password@example.com, jsons://example.com/path.</source>
            <translation>Diese Adresse wird nicht verstanden. Beispiele: tgram://token/chat, discord://id/token, mailto://user:password@example.com, jsons://example.com/path.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/paths.py" />
            <source>The data folder {v0} cannot be used ({v1}). Make it writable, or choose another one with --data-dir.</source>
            <translation>Der Datenordner {v0} ist nicht nutzbar ({v1}). Machen Sie ihn beschreibbar oder wählen Sie mit --data-dir einen anderen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/folder_lock.py" />
            <source>The data folder {v0} cannot be locked ({v1}). Choose one on a local disk that you may write to.</source>
            <translation>Der Datenordner {v0} lässt sich nicht sperren ({v1}). Wählen Sie einen auf einem lokalen Datenträger, auf dem Sie schreiben dürfen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/folder_lock.py" />
            <source>Execution Engine is running already with the data folder {v0}. Use its window, end it first, or choose another folder with --data-dir.</source>
            <translation>Execution Engine läuft bereits mit dem Datenordner {v0}. Nutzen Sie deren Fenster, beenden Sie sie zuerst oder wählen Sie mit --data-dir einen anderen Ordner.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/os_keyring.py" />
            <source>The system's keyring failed ({v0}). Try again, or choose a master password instead.</source>
            <translation>Der Schlüsselbund des Systems versagte ({v0}). Versuchen Sie es erneut oder wählen Sie ein Master-Passwort.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/os_keyring.py" />
            <source>The system's keyring is locked. Unlock it and try again.</source>
            <translation>Der Schlüsselbund des Systems ist gesperrt. Bitte entsperren und erneut versuchen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/os_keyring.py" />
            <source>This system has no keyring that this program could use. Choose a master password instead.</source>
            <translation>Dieses System hat keinen für dieses Programm verwendbaren Schlüsselbund. Wählen Sie stattdessen ein Master-Passwort.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/os_keyring.py" />
            <source>This system has no keyring that this program could use. Choose a master password instead (--password-file, or EXECUTION_ENGINE_PASSWORD).</source>
            <translation>Dieses System hat keinen für dieses Programm verwendbaren Schlüsselbund. Wählen Sie stattdessen ein Master-Passwort (--password-file oder EXECUTION_ENGINE_PASSWORD).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/os_keyring.py" />
            <source>The system's keyring did not answer within {v0} s; perhaps it waits for its password in a window of its own. Answer there and try again.</source>
            <translation>Der Schlüsselbund des Systems antwortete nicht innerhalb von {v0} s; vielleicht wartet er in einem eigenen Fenster auf sein Passwort. Antworten Sie dort und versuchen Sie es erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/os_keyring.py" />
            <source>The system's keyring did not keep what it was given. Choose a master password instead.</source>
            <translation>Der Schlüsselbund des Systems hat nicht behalten, was ihm übergeben wurde. Wählen Sie stattdessen ein Master-Passwort.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/password.py" />
            <source>This master password is among the first that are tried: it would hold for {v0}. Several words that have nothing to do with one another are better.</source>
            <translation>Dieses Master-Passwort gehört zu den ersten, die probiert werden; es hielte so lange: {v0}. Besser sind mehrere Wörter, die nichts miteinander zu tun haben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/password.py" />
            <source>A master password is more than a few characters again and again.</source>
            <translation>Ein Master-Passwort besteht aus mehr als wenigen, ständig wiederholten Zeichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/password.py" />
            <source>A master password has at least {v0} characters.</source>
            <translation>Ein Master-Passwort hat mindestens {v0} Zeichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/password.py" />
            <source>a password to measure with</source>
            <translation>ein Passwort zum Messen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/password.py" />
            <source>Opening the vault takes {v0} MiB of memory for half a second, which are not free. End other programs and try again.</source>
            <translation>Das Öffnen des Tresors braucht eine halbe Sekunde lang {v0} MiB Speicher, die nicht frei sind. Beenden Sie andere Programme und versuchen Sie es erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/pasted.py" />
            <source>The {v0} holds unusual characters; copy it once more, or choose plain ones.</source>
            <translation>{v0} enthält ungewöhnliche Zeichen; bitte erneut kopieren oder einfache Zeichen wählen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/pasted.py" />
            <source>The {v0} is too long: it has {v1} characters.</source>
            <translation>{v0} ist zu lang: {v1} Zeichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/pasted.py" />
            <source>The {v0} is too short: it has {v1} characters, at least {v2} are needed.</source>
            <translation>{v0} ist zu kurz: {v1} Zeichen, mindestens {v2} sind nötig.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/pasted.py" />
            <location filename="../../src/execution_engine/adapters/webhook/authentication.py" />
            <source>The {v0} is missing.</source>
            <translation>{v0} fehlt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/pasted.py" />
            <source>Spaces and line breaks around or in the {v0} were taken out.</source>
            <translation>{v0}: Leerzeichen und Zeilenumbrüche darin oder darum wurden entfernt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/patience.py" />
            <source>{v0} wrong master passwords were given; try again in {v1} s.</source>
            <translation>{v0} falsche Master-Passwörter wurden eingegeben; versuchen Sie es in {v1} s erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>about {v0} {v1}</source>
            <translation>etwa {v0} {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>no time at all</source>
            <translation>keinen Augenblick</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/strength.py" />
            <source>guessed at once</source>
            <translation>sofort erraten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>The vault is locked; open it first.</source>
            <translation>Der Tresor ist gesperrt; öffnen Sie ihn zuerst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>vault {v0}</source>
            <translation>Tresor {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>A vault needs a master password, or a place in the system's keyring.</source>
            <translation>Ein Tresor braucht ein Master-Passwort oder einen Platz im Schlüsselbund des Systems.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>There is a vault already; open it instead.</source>
            <translation>Es gibt bereits einen Tresor; öffnen Sie stattdessen diesen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>The master password is wrong.</source>
            <translation>Das Master-Passwort ist falsch.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>This vault has no master password; its keyring opens it.</source>
            <translation>Dieser Tresor hat kein Master-Passwort; sein Schlüsselbund öffnet ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>is damaged (kept as {v0})</source>
            <translation>ist beschädigt (aufbewahrt als {v0})</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>is gone</source>
            <translation>ist verschwunden</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>The system's keyring does not hold the key of this vault: another user or another machine made it. Forget all keys and enter them again.</source>
            <translation>Der Schlüsselbund des Systems enthält den Schlüssel dieses Tresors nicht: Ein anderer Benutzer oder Rechner hat ihn erstellt. Löschen Sie alle Schlüssel und geben Sie sie neu ein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>{v0} The master password opens it, too.</source>
            <translation>{v0} Auch das Master-Passwort öffnet ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>The vault is locked; its master password opens it (--password-file, or EXECUTION_ENGINE_PASSWORD).</source>
            <translation>Der Tresor ist gesperrt; sein Master-Passwort öffnet ihn (--password-file oder EXECUTION_ENGINE_PASSWORD).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>was changed by something else</source>
            <translation>wurde anderweitig verändert</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault.py" />
            <source>There is no vault yet; it is made with the first keys.</source>
            <translation>Es gibt noch keinen Tresor; er entsteht mit den ersten Schlüsseln.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>The vault's file {v0} cannot be read or written in {v1} ({v2}). Nothing was changed.</source>
            <translation>Die Tresordatei {v0} kann in {v1} nicht gelesen oder geschrieben werden ({v2}). Nichts wurde geändert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>The vault's file {v0}. Forget all keys and enter them again; nothing else is lost.</source>
            <translation>Die Tresordatei {v0}. Löschen Sie alle Schlüssel und geben Sie sie neu ein; sonst geht nichts verloren.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>makes no sense</source>
            <translation>ergibt keinen Sinn</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>is damaged</source>
            <translation>ist beschädigt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>The vault was written by a newer version of this program. Install that version to open it.</source>
            <translation>Der Tresor wurde von einer neueren Version dieses Programms geschrieben. Installieren Sie diese Version, um ihn zu öffnen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>is not a vault</source>
            <translation>ist kein Tresor</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>The key in the system's keyring does not belong to this vault. Forget all keys and enter them again.</source>
            <translation>Der Schlüssel im Schlüsselbund des Systems gehört nicht zu diesem Tresor. Löschen Sie alle Schlüssel und geben Sie sie neu ein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/security/vault_file.py" />
            <source>The master password is wrong; the vault stays locked.</source>
            <translation>Das Master-Passwort ist falsch; der Tresor bleibt gesperrt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/audit_head.py" />
            <source>Audit entry {v0} is not the one that was written: the log was written anew since.</source>
            <translation>Eintrag {v0} des Prüfprotokolls ist nicht der ursprüngliche: Das Protokoll wurde seither neu geschrieben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/audit_head.py" />
            <source>The audit log ends before entry {v0}, which was written on {v1} UTC: its end was cut off, or an older copy of the database was put in place.</source>
            <translation>Das Prüfprotokoll endet vor Eintrag {v0}, der am {v1} UTC geschrieben wurde: Sein Ende wurde abgeschnitten, oder eine ältere Kopie der Datenbank wurde eingesetzt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>The copy {v0} could not be written ({v1}).</source>
            <translation>Die Kopie {v0} konnte nicht geschrieben werden ({v1}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} Copying it to {v1} failed.</source>
            <translation>{v0} Kopieren nach {v1} fehlgeschlagen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} is damaged ({v1}); no copy of it was kept.</source>
            <translation>{v0} ist beschädigt ({v1}); es wurde keine Kopie davon behalten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>The copy {v0} was broken off: the program ends.</source>
            <translation>Die Kopie {v0} wurde abgebrochen: Das Programm wird beendet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} was written by a newer version. Install that version to restore it.</source>
            <translation>{v0} wurde von einer neueren Version geschrieben. Zum Wiederherstellen installieren Sie diese Version.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} is not a backup of this application.</source>
            <translation>{v0} ist keine Sicherung dieser Anwendung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} is the database itself. Choose a backup.</source>
            <translation>{v0} ist die Datenbank selbst. Wählen Sie eine Sicherung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>There is no backup {v0}.</source>
            <translation>Es gibt keine Sicherung {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <location filename="../../src/execution_engine/adapters/storage/passage.py" />
            <source>{v0} could not be put in place of {v1} ({v2}).</source>
            <translation>{v0} konnte nicht anstelle von {v1} eingesetzt werden ({v2}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>The backup folder {v0} cannot be made ({v1}).</source>
            <translation>Der Sicherungsordner {v0} kann nicht angelegt werden ({v1}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} exists and is not a backup. Choose another name.</source>
            <translation>{v0} existiert und ist keine Sicherung. Wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} is the database itself. Choose another name for the backup.</source>
            <translation>{v0} ist die Datenbank selbst. Wählen Sie einen anderen Namen für die Sicherung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/check.py" />
            <source>{v0} was damaged and set aside as {v1}.</source>
            <translation>{v0} war beschädigt und wurde als {v1} beiseitegelegt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/check.py" />
            <source>There is no backup to restore; to begin anew without it, move that file to another folder.</source>
            <translation>Es gibt keine Sicherung zum Wiederherstellen; um ohne sie neu zu beginnen, verschieben Sie diese Datei in einen anderen Ordner.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/check.py" />
            <source>Restore a backup: the newest is {v0}.</source>
            <translation>Stellen Sie eine Sicherung wieder her: Die neueste ist {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/check.py" />
            <source>{v0} is damaged ({v1}) and was set aside as {v2}.</source>
            <translation>{v0} ist beschädigt ({v1}) und wurde als {v2} beiseitegelegt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/check.py" />
            <source>the file is empty</source>
            <translation>die Datei ist leer</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/check.py" />
            <source>The disk is full: {v0} has {v1} MiB left for {v2}. Free at least {v3} MiB and start again.</source>
            <translation>Der Datenträger ist voll: {v0} hat noch {v1} MiB für {v2}. Schaffen Sie mindestens {v3} MiB Platz und starten Sie erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/check.py" />
            <source>{v0} cannot be used in {v1} ({v2}). Make that folder writable, or choose another one.</source>
            <translation>{v0} ist in {v1} nicht nutzbar ({v2}). Machen Sie diesen Ordner beschreibbar oder wählen Sie einen anderen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/check.py" />
            <source>its schema cannot be read</source>
            <translation>ihr Schema ist nicht lesbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/export.py" />
            <source>{v0} could not be written ({v1}).</source>
            <translation>{v0} konnte nicht geschrieben werden ({v1}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/export.py" />
            <source>{v0} ends neither in .csv nor in .json; one of them says how to write it.</source>
            <translation>{v0} endet weder auf .csv noch auf .json; eine der Endungen legt das Format fest.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>A change could not be stored in {v0} ({v1}: {v2}).</source>
            <translation>Eine Änderung konnte nicht in {v0} gespeichert werden ({v1}: {v2}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} is not a database. Start again to choose a backup.</source>
            <translation>{file} ist keine Datenbank. Starten Sie erneut, um eine Sicherung zu wählen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} is damaged. Start again to choose a backup.</source>
            <translation>{file} ist beschädigt. Starten Sie erneut, um eine Sicherung zu wählen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} cannot be opened. Check that the folder {folder} exists and is writable.</source>
            <translation>{file} kann nicht geöffnet werden. Prüfen Sie, ob der Ordner {folder} existiert und beschreibbar ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>The disk reported an error while {file} was used. Check the disk and its free space before starting again.</source>
            <translation>Der Datenträger meldete einen Fehler beim Zugriff auf {file}. Prüfen Sie ihn und seinen freien Platz, bevor Sie erneut starten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} is locked by another program. Close what has it open (a database viewer, a backup or virus scanner) and start again.</source>
            <translation>{file} ist von einem anderen Programm gesperrt. Schließen Sie, was die Datei geöffnet hat (Datenbankbetrachter, Sicherungsprogramm oder Virenscanner), und starten Sie erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} may not be opened. Make the file and its folder {folder} writable.</source>
            <translation>{file} darf nicht geöffnet werden. Machen Sie die Datei und ihren Ordner {folder} beschreibbar.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} is read-only. Make the file and its folder {folder} writable.</source>
            <translation>{file} ist schreibgeschützt. Machen Sie die Datei und ihren Ordner {folder} beschreibbar.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/failures.py" />
            <source>The disk is full, so {file} could not be written. Free some space and start again.</source>
            <translation>Der Datenträger ist voll, {file} konnte daher nicht geschrieben werden. Schaffen Sie Platz und starten Sie erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/loading.py" />
            <source>a row of {v0} makes no sense ({v1})</source>
            <translation>eine Zeile von {v0} ergibt keinen Sinn ({v1})</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/loading.py" />
            <source>{v0} is damaged: {v1}. Restore a backup; nothing was changed.</source>
            <translation>{v0} ist beschädigt: {v1}. Stellen Sie eine Sicherung wieder her; nichts wurde geändert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/migrate.py" />
            <source>{v0} has rows without their group; it was not changed.</source>
            <translation>{v0} enthält Zeilen ohne ihre Gruppe; nichts wurde daran geändert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/migrate.py" />
            <source>{v0} was written by a newer version of this application (schema {v1}). Install that version again, or restore a backup from before it.</source>
            <translation>{v0} wurde von einer neueren Version dieser Anwendung geschrieben (Schema {v1}). Installieren Sie diese Version wieder oder stellen Sie eine Sicherung aus der Zeit davor wieder her.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/migrate.py" />
            <source>{v0} is not a database of this application. Move it away and start again.</source>
            <translation>{v0} ist keine Datenbank dieser Anwendung. Verschieben Sie die Datei und starten Sie erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/passage.py" />
            <source>Version {v0} has positions open, of which the data from before that update knows nothing. Install version {v1} again and close them; {v2}</source>
            <translation>Version {v0} hat offene Positionen, von denen die Daten aus der Zeit vor der Aktualisierung nichts wissen. Installieren Sie Version {v1} erneut und schließen Sie sie; {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/passage.py" />
            <source>The newer version has positions open, of which the data from before that update knows nothing. Install the newer version again and close them; {v0}</source>
            <translation>Die neuere Version hat offene Positionen, von denen die Daten aus der Zeit vor der Aktualisierung nichts wissen. Installieren Sie die neuere Version erneut und schließen Sie sie; {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/passage.py" />
            <source>or, to go back all the same, restore {v0}.</source>
            <translation>oder stellen Sie, um trotzdem zurückzugehen, {v0} wieder her.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/passage.py" />
            <source>The data could not be copied before the first start of version {v0} ({v1}). Make room on the disk and start again.</source>
            <translation>Die Daten konnten vor dem ersten Start von Version {v0} nicht kopiert werden ({v1}). Schaffen Sie Platz auf dem Datenträger und starten Sie erneut.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/passage.py" />
            <source>{v0} cannot be written to ({v1}).</source>
            <translation>In {v0} kann nicht geschrieben werden ({v1}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/passage.py" />
            <source>The data of version {v0} cannot be read by this one, so the state of before that update is back. What was done since then is in {v1}.</source>
            <translation>Diese Version kann die Daten nicht lesen (Version: {v0}), daher gilt wieder der Stand vor jener Aktualisierung. Was seither geschah, steht in {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/passage.py" />
            <source>a newer one</source>
            <translation>eine neuere</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/store.py" />
            <source>answers to committed writes failed</source>
            <translation>Antworten nach dem Speichern fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/store.py" />
            <source>{v0} is closed; nothing more is stored.</source>
            <translation>{v0} ist geschlossen; es wird nichts mehr gespeichert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0} is {v1}, but {v2} make {v3}.</source>
            <translation>{v0} = {v1}, aber {v2} ergeben {v3}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>its closing orders</source>
            <translation>ihre Schließungsorders</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: proceeds of its legs</source>
            <translation>{v0}: Erlös ihrer Stufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: quantity closed by its legs</source>
            <translation>{v0}: von ihren Stufen geschlossene Menge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>its legs</source>
            <translation>ihre Stufen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: realized result</source>
            <translation>{v0}: realisiertes Ergebnis</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: open quantity</source>
            <translation>{v0}: offene Menge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: filled quantity</source>
            <translation>{v0}: ausgeführte Menge</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>its entries</source>
            <translation>ihre Einstiege</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: entry fees</source>
            <translation>{v0}: Einstiegsgebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: filled cost</source>
            <translation>{v0}: ausgeführter Betrag</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>Leg {v0} of group {v1}</source>
            <translation>Stufe {v0} der Gruppe {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>its fills</source>
            <translation>ihre Ausführungen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: fees</source>
            <translation>{v0}: Gebühren</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>Order {v0} of group {v1}</source>
            <translation>Order {v0} der Gruppe {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>Row {v0} of {v1} refers to a row of {v2} that is not there.</source>
            <translation>Zeile {v0} von {v1} verweist auf eine Zeile von {v2}, die es nicht gibt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/verify.py" />
            <source>The file is damaged: {v0}.</source>
            <translation>Die Datei ist beschädigt: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>{v0} on a network drive ({v1}), where locks and flushes are not what they promise: that damages a database. Choose a folder on a disk of this computer.</source>
            <translation>{v0} auf einem Netzlaufwerk ({v1}), wo auf Sperren und Schreibvorgänge kein Verlass ist: Das beschädigt eine Datenbank. Wählen Sie einen Ordner auf einem Datenträger dieses Computers.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>{v0} in a folder that {v1} keeps in step with other computers ({v2}): that damages a database. Choose a folder outside of it.</source>
            <translation>{v0} in einem Ordner, den {v1} mit anderen Computern synchronisiert ({v2}): Das beschädigt eine Datenbank. Wählen Sie einen Ordner außerhalb davon.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>a cloud drive</source>
            <translation>ein Cloud-Laufwerk</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>iCloud Drive</source>
            <translation>iCloud Drive</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>Google Drive</source>
            <translation>Google Drive</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>Libraries of the system are missing: {v0}; {v1}.</source>
            <translation>Bibliotheken des Systems fehlen: {v0}; {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>on Debian and Ubuntu “sudo apt install {v0}” brings what is needed</source>
            <translation>unter Debian und Ubuntu installiert „sudo apt install {v0}“ das Nötige</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>DISPLAY is {v0}, and no display answers there.</source>
            <translation>DISPLAY ist {v0}, und dort antwortet kein Display.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>WAYLAND_DISPLAY is {v0}, and no display answers at {v1}.</source>
            <translation>WAYLAND_DISPLAY ist {v0}, und unter {v1} antwortet kein Display.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>no answer in time</source>
            <translation>keine rechtzeitige Antwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>the name is not known here</source>
            <translation>der Name ist hier nicht bekannt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>the certificate is not to be trusted: somebody stands in between, or the clock is far off</source>
            <translation>dem Zertifikat ist nicht zu trauen: Jemand steht dazwischen, oder die Uhr geht völlig falsch</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>status {v0}</source>
            <translation>Status {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/surroundings.py" />
            <source>asks {v0}</source>
            <translation>asks {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>its web page</source>
            <translation>die zugehörige Webseite</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>HTTPS certificates are not switched on for this tailnet; do so at {address}.</source>
            <translation>HTTPS-Zertifikate sind für dieses Tailnet nicht eingeschaltet; einzuschalten hier: {address}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Something else uses this machine's funnel; end it with “tailscale funnel reset”.</source>
            <translation>Etwas anderes nutzt den Funnel dieses Rechners; beenden Sie es mit „tailscale funnel reset“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>The Tailscale service does not run; start it.</source>
            <translation>Der Tailscale-Dienst läuft nicht; starten Sie ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Tailscale lets only its operator do this; run “sudo tailscale set --operator=$USER”.</source>
            <translation>Tailscale erlaubt das nur seinem Operator; führen Sie „sudo tailscale set --operator=$USER“ aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Funnel is not switched on for this machine; do so at {address}.</source>
            <translation>Funnel ist für diesen Rechner nicht eingeschaltet; einzuschalten hier: {address}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Tailscale is not signed in; run “tailscale up”.</source>
            <translation>Tailscale ist nicht angemeldet; führen Sie „tailscale up“ aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>ngrok cannot be reached; is this machine online?</source>
            <translation>ngrok ist nicht erreichbar; ist dieser Rechner online?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>This ngrok is too old; run “ngrok update”.</source>
            <translation>Dieses ngrok ist zu alt; führen Sie „ngrok update“ aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>This host name does not belong to the ngrok account; choose one of its domains.</source>
            <translation>Dieser Hostname gehört nicht zum ngrok-Konto; wählen Sie eine seiner Domains.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>This ngrok address is in use by another agent; end that one first.</source>
            <translation>Diese ngrok-Adresse wird von einem anderen Agenten verwendet; beenden Sie ihn zuerst.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>ngrok runs elsewhere already: an account without a plan may run it once.</source>
            <translation>ngrok läuft bereits anderswo: Ein Konto ohne Abo darf es nur einmal ausführen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>ngrok needs an account. Get its token at dashboard.ngrok.com and run “ngrok config add-authtoken TOKEN”.</source>
            <translation>ngrok braucht ein Konto. Holen Sie dessen Token auf dashboard.ngrok.com und führen Sie „ngrok config add-authtoken TOKEN“ aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>cloudflared does not get through to Cloudflare; a firewall may block it.</source>
            <translation>cloudflared kommt nicht zu Cloudflare durch; vielleicht blockiert eine Firewall.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>cloudflared knows no such tunnel here. Run “cloudflared tunnel login” and create it, or leave tunnel.name empty for a quick tunnel.</source>
            <translation>cloudflared kennt hier keinen solchen Tunnel. Führen Sie „cloudflared tunnel login“ aus und legen Sie ihn an, oder lassen Sie tunnel.name für einen Quick Tunnel leer.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Cloudflare cannot be reached; is this machine online?</source>
            <translation>Cloudflare ist nicht erreichbar; ist dieser Rechner online?</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Cloudflare gives no new quick tunnel now: too many were asked for.</source>
            <translation>Cloudflare vergibt zurzeit keinen neuen Quick Tunnel: Zu viele wurden angefordert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>{v0}: run “{v1}”, or see {v2}</source>
            <translation>{v0}: „{v1}“ ausführen, oder siehe {v2}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>free account; one fixed address</source>
            <translation>kostenloses Konto; eine feste Adresse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>no account; the address is another one after each start, unless you have a domain at Cloudflare</source>
            <translation>kein Konto; nach jedem Start eine andere Adresse, außer Sie haben eine Domain bei Cloudflare</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>sudo snap install ngrok</source>
            <translation>sudo snap install ngrok</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>winget install Tailscale.Tailscale</source>
            <translation>winget install Tailscale.Tailscale</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>winget install Ngrok.Ngrok</source>
            <translation>winget install Ngrok.Ngrok</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>winget install Cloudflare.cloudflared</source>
            <translation>winget install Cloudflare.cloudflared</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>brew install --cask tailscale</source>
            <translation>brew install --cask tailscale</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>brew install ngrok</source>
            <translation>brew install ngrok</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/finding.py" />
            <source>brew install cloudflared</source>
            <translation>brew install cloudflared</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/names.py" />
            <source>a name is looked up</source>
            <translation>ein Name wird nachgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/names.py" />
            <source>no name that could be looked up</source>
            <translation>kein Name, der sich nachschlagen ließe</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/process.py" />
            <source>tunnel output</source>
            <translation>Ausgabe des Tunnels</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>No usable answer came: {v0}.</source>
            <translation>Es kam keine brauchbare Antwort: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>No connection can be made: {v0}.</source>
            <translation>Keine Verbindung möglich: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>Its name is not known (yet), or this machine is not online.</source>
            <translation>Der Name ist (noch) nicht bekannt, oder dieser Rechner ist nicht online.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>Its certificate is not valid for this address; TradingView would refuse it as well.</source>
            <translation>Das Zertifikat gilt nicht für diese Adresse; auch TradingView würde es ablehnen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>No answer came within {v0} s.</source>
            <translation>Innerhalb von {v0} s kam keine Antwort.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>Something else answers at this address (status {v0}), not this program's listener.</source>
            <translation>Unter dieser Adresse antwortet etwas anderes (Status {v0}), nicht der Empfänger dieses Programms.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>The tunnel or proxy answers {v0}: it does not get through to the listener.</source>
            <translation>Der Tunnel oder Proxy antwortet {v0}: Er kommt nicht zum Empfänger durch.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>The address answers with a redirect ({v0}); TradingView must get there at once.</source>
            <translation>Die Adresse antwortet mit einer Weiterleitung ({v0}); TradingView muss direkt ankommen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>Reached from outside in {v0} ms.</source>
            <translation>Von außen in {v0} ms erreicht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/reach.py" />
            <source>The answer took {v0} s; TradingView gives up after {v1} s.</source>
            <translation>Die Antwort dauerte {v0} s; TradingView gibt nach {v1} s auf.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} leads {v1} to the listener.</source>
            <translation>{v0} leitet {v1} zum Empfänger.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} ended with status {v1}: {v2}.</source>
            <translation>{v0} endete mit Status {v1}: {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>it said nothing</source>
            <translation>ohne eine Meldung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} told no address within {v1} s.</source>
            <translation>{v0} nannte innerhalb von {v1} s keine Adresse.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} cannot be started: {v1}.</source>
            <translation>{v0} kann nicht gestartet werden: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} is being started.</source>
            <translation>{v0} wird gestartet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>None of {v0} is installed.</source>
            <translation>Nichts davon ist installiert: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} is not installed.</source>
            <translation>{v0} ist nicht installiert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} It is started again in {v1} s.</source>
            <translation>{v0} Neustart in {v1} s.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases leads to a place that is not protected (https).</source>
            <translation>Der Versionsserver leitet zu einer ungeschützten Stelle weiter (ohne https).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases sent more than a release document can be.</source>
            <translation>Der Versionsserver sendete mehr, als ein Versionsdokument umfassen kann.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases leads from one place to the next without an end.</source>
            <translation>Der Versionsserver leitet ohne Ende von einer Stelle zur nächsten weiter.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases cannot be reached ({v0}).</source>
            <translation>Der Versionsserver ist nicht erreichbar ({v0}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases did not answer in time.</source>
            <translation>Der Versionsserver antwortete nicht rechtzeitig.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases answered {v0}.</source>
            <translation>Der Versionsserver antwortete {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/signature.py" />
            <source>The release document has no signature that could be read.</source>
            <translation>Das Versionsdokument hat keine lesbare Signatur.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/signature.py" />
            <source>The release document was changed after it was signed.</source>
            <translation>Das Versionsdokument wurde nach dem Signieren verändert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/signature.py" />
            <source>The release document is signed with a key that this program does not know.</source>
            <translation>Das Versionsdokument ist mit einem Schlüssel signiert, den dieses Programm nicht kennt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/updates/signature.py" />
            <source>trusted comment:</source>
            <translation>trusted comment:</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>the desk had no answer to an alert</source>
            <translation>die Engine hatte keine Antwort auf einen Alarm</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>More than {v0} alerts came within a minute.</source>
            <translation>Mehr als {v0} Alarme kamen innerhalb einer Minute.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>(not kept: {v0} bytes)</source>
            <translation>(nicht aufbewahrt: {v0} Bytes)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>It was sent to “{v0}”, which is not the public address. If that is a name of yours, add it to “Further names” in Settings, Webhook &amp; tunnel.</source>
            <translation>Gesendet an „{v0}“, was nicht die öffentliche Adresse ist. Ist das ein Name von Ihnen, fügen Sie ihn unter Einstellungen, Webhook &amp; Tunnel zu „Weitere Namen“ hinzu.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>Too many wrong secrets came to the webhook, the last from {v0}; they are slowed down.</source>
            <translation>Zu viele falsche Geheimnisse kamen beim Webhook an, das letzte von {v0}; sie werden verlangsamt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>Too many wrong secrets came from this address.</source>
            <translation>Von dieser Adresse kamen zu viele falsche Geheimnisse.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>It claims to be a check of this program's own.</source>
            <translation>Die Anfrage gibt sich als Prüfung durch dieses Programm aus.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>Its address is not on the list of allowed ones.</source>
            <translation>Ihre Adresse steht nicht auf der Liste der erlaubten.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/alerts.py" />
            <source>It was sent by a web page in a browser.</source>
            <translation>Gesendet von einer Webseite in einem Browser.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/authentication.py" />
            <source>The {v0} is wrong.</source>
            <translation>{v0} ist falsch.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/authentication.py" />
            <source>A {v0} is required, but none is set in the settings.</source>
            <translation>{v0} ist erforderlich, aber in den Einstellungen nicht hinterlegt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/authentication.py" />
            <source>Neither token nor body secret nor signature is right.</source>
            <translation>Weder Token noch Geheimnis in der Nachricht noch Signatur stimmt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/authentication.py" />
            <source>The path carries no token that is valid now.</source>
            <translation>Der Pfad enthält kein derzeit gültiges Token.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/connections.py" />
            <source>the connection is of no use any more</source>
            <translation>die Verbindung ist nicht mehr brauchbar</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/connections.py" />
            <source>A connection was ended: %r</source>
            <translation>Eine Verbindung wurde beendet: %r</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/listener.py" />
            <source>It is not possible to listen on {v0}, port {v1}: {v2}.</source>
            <translation>Auf {v0}, Port {v1} kann nicht gelauscht werden: {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/listener.py" />
            <source>This machine has no address “{v0}”. Choose 127.0.0.1: for one run with --host, for good with “execution-engine settings set webhook.host 127.0.0.1”.</source>
            <translation>Dieser Rechner hat keine Adresse „{v0}“. Wählen Sie 127.0.0.1: für einen Lauf mit --host, dauerhaft mit „execution-engine settings set webhook.host 127.0.0.1“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/listener.py" />
            <source>The system does not let this user listen on port {v0}. Choose one above 1023: {v1}.</source>
            <translation>Das System lässt diesen Benutzer nicht auf Port {v0} lauschen. Wählen Sie einen über 1023: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/listener.py" />
            <source>Port {v0} on {v1} is used by another program, perhaps by a second Execution Engine. End that program, or choose another port: {v2}.</source>
            <translation>Port {v0} auf {v1} wird von einem anderen Programm verwendet, vielleicht von einer zweiten Execution Engine. Beenden Sie dieses Programm oder wählen Sie einen anderen Port: {v2}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/listener.py" />
            <source>for one run with --port, for good with “execution-engine settings set webhook.port 8788”</source>
            <translation>für einen Lauf mit --port, dauerhaft mit „execution-engine settings set webhook.port 8788“</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/listener.py" />
            <source>/webhook, asked by itself</source>
            <translation>/webhook, eigene Anfrage</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/listener.py" />
            <source>(another path)</source>
            <translation>(anderer Pfad)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/local.py" />
            <source>must be a number above 0, as 64000.5</source>
            <translation>muss eine Zahl über 0 sein, z. B. 64000.5</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/local.py" />
            <source>must be a symbol, as BTCUSDT</source>
            <translation>muss ein Symbol sein, z. B. BTCUSDT</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/local.py" />
            <source>The practice prices are not set by hand now; choose the feed “manual” first.</source>
            <translation>Die Übungspreise werden derzeit nicht von Hand gesetzt; wählen Sie zuerst den Feed „manual“.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/probes.py" />
            <source>The vault is locked, so that the body secret cannot be compared; unlock it.</source>
            <translation>Der Tresor ist gesperrt, das Geheimnis in der Nachricht kann daher nicht verglichen werden; entsperren Sie ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/probes.py" />
            <source>The allowlist would refuse every alert: the header that names the sender is not believed. Add {v0} to webhook.trusted_proxies.</source>
            <translation>Die Freigabeliste würde jeden Alarm ablehnen: Dem Header, der den Absender nennt, wird nicht vertraut. Fügen Sie {v0} zu webhook.trusted_proxies hinzu.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/probes.py" />
            <source>The allowlist leaves out addresses of TradingView; add “tradingview” to it.</source>
            <translation>In der Freigabeliste fehlen Adressen von TradingView; fügen Sie „tradingview“ hinzu.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/probes.py" />
            <source>TradingView cannot sign its alerts, but webhook.signature_required is on.</source>
            <translation>TradingView kann seine Alarme nicht signieren, aber webhook.signature_required ist eingeschaltet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/reading.py" />
            <source>The body is larger than {v0} KiB.</source>
            <translation>Der Body ist größer als {v0} KiB.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/reading.py" />
            <source>Compressed bodies are not taken; send it as it is.</source>
            <translation>Komprimierte Bodys werden nicht angenommen; senden Sie ihn unverändert.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/adapters/webhook/refused.py" />
            <source>{v0} more of this kind came before it and are not listed.</source>
            <translation>{v0} weitere dieser Art kamen davor und sind nicht aufgeführt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/accounts.py" />
            <source>{v0} keys have a passphrase; enter it, too.</source>
            <translation>Schlüssel von {v0} haben eine Passphrase; bitte auch diese eingeben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/accounts.py" />
            <source>Keys are texts: api_key, api_secret and, where there is one, passphrase.</source>
            <translation>Schlüssel sind Texte: api_key, api_secret und, wo es eine gibt, passphrase.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/accounts.py" />
            <source>The vault holds no keys of account {v0}; enter them again.</source>
            <translation>Der Tresor enthält keine Schlüssel von Konto {v0}; geben Sie sie neu ein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/accounts.py" />
            <source>This version cannot reach {v0} yet.</source>
            <translation>Diese Version kann {v0} noch nicht erreichen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/accounts.py" />
            <source>A running engine asks {v0} about keys; start it, and check them.</source>
            <translation>Schlüssel bei {v0} prüft nur eine laufende Engine; starten Sie sie und prüfen Sie dann.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/accounts.py" />
            <source>Account {v0} trades on paper and needs no keys.</source>
            <translation>Konto {v0} handelt im Paper-Trading und braucht keine Schlüssel.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/accounts.py" />
            <source>these keys</source>
            <translation>diese Schlüssel</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/core.py" />
            <source>There is no way to {v0} in this run of the application: account {v1} can neither be read nor traded.</source>
            <translation>In diesem Lauf der Anwendung gibt es keinen Weg zu {v0}: Konto {v1} kann weder gelesen noch gehandelt werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/core.py" />
            <source>no market price: this run of the application reaches no exchange</source>
            <translation>kein Marktpreis: dieser Lauf der Anwendung erreicht keine Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/core.py" />
            <source>an exchange</source>
            <translation>einer Börse</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/core.py" />
            <source>join {v0}</source>
            <translation>Aufnahme von {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/core.py" />
            <source>choice of paper prices</source>
            <translation>Wahl der Paper-Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/core.py" />
            <source>The newest settings make no sense, so {v0} are used: {v1}</source>
            <translation>Die neuesten Einstellungen ergeben keinen Sinn, daher gilt: {v0}. Grund: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/core.py" />
            <source>those saved on {v0} UTC</source>
            <translation>die am {v0} UTC gespeicherten</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/exchanges.py" />
            <source>live prices</source>
            <translation>Live-Preise</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/exchanges.py" />
            <source>exchange of {v0}</source>
            <translation>Börse von {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/exchanges.py" />
            <source>markets of {v0}</source>
            <translation>Märkte von {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/exchanges.py" />
            <source>The keys of account {v0} are in the locked vault: unlock it. {v1}</source>
            <translation>Die Schlüssel von Konto {v0} liegen im gesperrten Tresor: Entsperren Sie ihn. {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/exchanges.py" />
            <source>The keys of account {v0} are in the vault, which is being opened.</source>
            <translation>Die Schlüssel von Konto {v0} liegen im Tresor, der gerade geöffnet wird.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/exchanges.py" />
            <source>There are no keys of account {v0} here: enter them again.</source>
            <translation>Hier gibt es keine Schlüssel von Konto {v0}: Geben Sie sie neu ein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>set aside</source>
            <translation>beiseitegelegt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>before an update</source>
            <translation>vor einer Aktualisierung</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>before version {v0}</source>
            <translation>vor Version {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>{v0} {v1} were written to {v2}.</source>
            <translation>{v0} {v1} wurden in {v2} geschrieben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>entries of the audit log</source>
            <translation>Einträge des Prüfprotokolls</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>The backup {v0} was restored. {v1}</source>
            <translation>Die Sicherung {v0} wurde wiederhergestellt. {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>, whose audit log went on to entry {v0} ({v1}…).</source>
            <translation>, deren Prüfprotokoll bis Eintrag {v0} reichte ({v1}…).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>The backup {v0} took the place of the database</source>
            <translation>Die Sicherung {v0} trat an die Stelle der Datenbank</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>end of the log</source>
            <translation>Ende des Prüfprotokolls</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>The disk has {v0} MiB left: there is no room for another backup.</source>
            <translation>Auf dem Datenträger sind noch {v0} MiB frei: kein Platz für eine weitere Sicherung.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>The backups go to a network drive ({v0}): look there whether they arrive.</source>
            <translation>Die Sicherungen gehen auf ein Netzlaufwerk ({v0}): Prüfen Sie dort, ob sie ankommen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>The data lies</source>
            <translation>Die Daten liegen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>{v0} was restored.{v1}</source>
            <translation>{v0} wurde wiederhergestellt.{v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>The database before it is kept as {v0}.</source>
            <translation>Die Datenbank von vorher ist als {v0} aufgehoben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>A backup is being restored</source>
            <translation>Eine Sicherung wird wiederhergestellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>The database is being checked</source>
            <translation>Die Datenbank wird geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>A backup is being checked</source>
            <translation>Eine Sicherung wird geprüft</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>{v0} was made and checked.</source>
            <translation>{v0} wurde erstellt und geprüft.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>A backup was made by hand: {v0}.</source>
            <translation>Eine Sicherung wurde von Hand erstellt: {v0}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>No backup could be made: {v0}</source>
            <translation>Sicherung fehlgeschlagen: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>A backup is being made</source>
            <translation>Eine Sicherung wird erstellt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>chain of the log</source>
            <translation>Kette des Prüfprotokolls</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/keeping.py" />
            <source>No order is sent until you resume; look first at what the comparison with each exchange found.</source>
            <translation>Bis Sie fortsetzen, wird keine Order gesendet; sehen Sie zuerst nach, was der Abgleich mit jeder Börse ergab.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <source>{v0} was written. Look into it before you give it away.</source>
            <translation>{v0} wurde geschrieben. Sehen Sie hinein, bevor Sie die Datei weitergeben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <source>task {v0} failed</source>
            <translation>Aufgabe {v0} fehlgeschlagen</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <source>paper exchange: {v0}</source>
            <translation>Paper-Börse: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <source>keys and secrets: {v0}</source>
            <translation>Schlüssel und Geheimnisse: {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <location filename="../../src/execution_engine/notifying.py" />
            <source>test {v0}</source>
            <translation>test {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <source>prices come from the {v0} feed; set paper.feed to manual first</source>
            <translation>die Preise kommen vom Feed {v0}; setzen Sie zuerst paper.feed auf manual</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <location filename="../../src/execution_engine/observing.py" />
            <source>{v0} changes wait for the disk</source>
            <translation>{v0} Änderungen warten auf den Datenträger</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <source>The engine cannot run ({v0}); the log says more.</source>
            <translation>Die Engine kann nicht laufen ({v0}); mehr steht im Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/main.py" />
            <source>another database is being put in place</source>
            <translation>eine andere Datenbank wird eingesetzt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>There is no target “{v0}”; there are: {v1}.</source>
            <translation>Es gibt kein Ziel „{v0}“; vorhanden: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>{v0} took the test message.</source>
            <translation>{v0} nahm die Testnachricht an.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>{v0} did not take the test: {v1}</source>
            <translation>{v0} nahm den Test nicht an: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>{v0} did not answer within {v1} s.</source>
            <translation>{v0} antwortete nicht innerhalb von {v1} s.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>This is a test. What happens while you are away is told here.</source>
            <translation>Dies ist ein Test. Was während Ihrer Abwesenheit geschieht, wird hier gemeldet.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>Execution Engine: test</source>
            <translation>Execution Engine: Test</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>{v0} is told nothing any more.</source>
            <translation>{v0} wird nicht mehr benachrichtigt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>target {v0} removed</source>
            <translation>Ziel {v0} entfernt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>The address of target {v0} was removed.</source>
            <translation>Die Adresse des Ziels {v0} wurde entfernt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>{v0} is told from now on. Send it a test.</source>
            <translation>{v0} wird ab jetzt benachrichtigt. Senden Sie einen Test.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>target {v0} added</source>
            <translation>Ziel {v0} hinzugefügt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>The address of target {v0} was set.</source>
            <translation>Die Adresse des Ziels {v0} wurde hinterlegt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>notifications {v0}</source>
            <translation>Benachrichtigungen {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/notifying.py" />
            <source>its address is not known: the vault is locked, or does not hold it</source>
            <translation>die Adresse ist nicht bekannt: Der Tresor ist gesperrt oder enthält sie nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>When it was started.</source>
            <translation>Zeitpunkt des Starts.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Background tasks at work.</source>
            <translation>Laufende Hintergrundaufgaben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Room on the disk.</source>
            <translation>Freier Platz auf dem Datenträger.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Resident memory.</source>
            <translation>Belegter Arbeitsspeicher.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Errors in the log.</source>
            <translation>Fehler im Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Times the loop stood still for 0.25 s.</source>
            <translation>Wie oft die Schleife 0.25 s stillstand.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Longest lag of the loop in a minute.</source>
            <translation>Größte Verzögerung der Schleife in einer Minute.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Age of the oldest price that matters.</source>
            <translation>Alter des ältesten Preises, auf den es ankommt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Notifications that were not taken yet.</source>
            <translation>Benachrichtigungen, die noch nicht angenommen wurden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Decisions that are not durable yet.</source>
            <translation>Noch nicht dauerhaft gespeicherte Entscheidungen.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Signals that wait.</source>
            <translation>Wartende Signale.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Position groups in memory by world and status.</source>
            <translation>Positionsgruppen im Speicher nach Umgebung und Status.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Accounts by status.</source>
            <translation>Konten nach Status.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>1 while all is well.</source>
            <translation>1, solange alles in Ordnung ist.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>1 for the engine's word.</source>
            <translation>1 für den aktuellen Status der Engine.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Time on the way of an alert, by stage.</source>
            <translation>Laufzeit eines Alarms, nach Abschnitt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Events by level since the start.</source>
            <translation>Ereignisse nach Level seit dem Start.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Orders that reached a status since the start.</source>
            <translation>Orders, die einen Status erreicht haben, seit dem Start.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>Alerts by outcome since the start.</source>
            <translation>Alarme nach Ergebnis seit dem Start.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>prices that matter are {v0} s old</source>
            <translation>Preise, auf die es ankommt, sind {v0} s alt</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>{v0}: the exchange does not answer</source>
            <translation>{v0}: die Börse antwortet nicht</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/observing.py" />
            <source>The program stood still for {v0} s; alerts and prices waited. The log says where.</source>
            <translation>Das Programm stand {v0} s still; Alarme und Preise warteten. Wo, steht im Protokoll.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The {v0} of the webhook was {v1}.</source>
            <translation>Webhook, {v0}: {v1}.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The vault was deleted with every key in it.</source>
            <translation>Der Tresor wurde mit allen Schlüsseln gelöscht.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The vault is opened by {v0} from now on.</source>
            <translation>Ab jetzt öffnet {v0} den Tresor.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The present master password is needed for that.</source>
            <translation>Dafür ist das aktuelle Master-Passwort nötig.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The vault was locked.</source>
            <translation>Der Tresor wurde gesperrt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The vault was locked by you.</source>
            <translation>Der Tresor wurde von Ihnen gesperrt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>A vault was made; {v0} opens it.</source>
            <translation>Ein Tresor wurde erstellt; {v0} öffnet ihn.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The window was locked {v0}.</source>
            <translation>Das Fenster wurde {v0} gesperrt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The window was unlocked {v0}.</source>
            <translation>Das Fenster wurde {v0} entsperrt.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>with the master password</source>
            <translation>mit dem Master-Passwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>with the system's keyring</source>
            <translation>mit dem Schlüsselbund des Systems</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The master password unlocks the window.</source>
            <translation>Das Master-Passwort entsperrt das Fenster.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>without a password, because there is no vault</source>
            <translation>ohne Passwort (es gibt keinen Tresor)</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>A wrong master password was given.</source>
            <translation>Ein falsches Master-Passwort wurde eingegeben.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>The vault was opened with {v0}.</source>
            <translation>Der Tresor wurde geöffnet ({v0}).</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/unlocking.py" />
            <source>its master password</source>
            <translation>sein Master-Passwort</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/updating.py" />
            <source>This program was built without a place where new versions are announced.</source>
            <translation>Diesem Programm wurde beim Bauen keine Stelle mitgegeben, an der neue Versionen angekündigt werden.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/way_in.py" />
            <source>The public address is {v0} now, not {v1}: put the new webhook URL into TradingView's alerts.</source>
            <translation>Die öffentliche Adresse ist jetzt {v0}, nicht mehr {v1}: Tragen Sie die neue Webhook-URL in die Alarme bei TradingView ein.</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/way_in.py" />
            <source>Alerts can arrive again. {v0}</source>
            <translation>Alarme können wieder eintreffen. {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/way_in.py" />
            <source>Alerts cannot arrive through {v0}: {v1}</source>
            <translation>Über {v0} können keine Alarme eintreffen: {v1}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/way_in.py" />
            <source>The tunnel is new and may not be known everywhere yet. {v0}</source>
            <translation>Der Tunnel ist neu und vielleicht noch nicht überall bekannt. {v0}</translation>
        </message>
        <message>
            <location filename="../../src/execution_engine/way_in.py" />
            <source>way in</source>
            <translation>Zugang</translation>
        </message>
    </context>
</TS>
