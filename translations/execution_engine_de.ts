<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
    <context>
        <name>Execution Engine</name>
        <message>
            <location filename="../src/execution_engine/ui/charts/equity.py" />
            <source>Equity, realized</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/grid_preview.py" />
            <source>Preview of the grid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/grid_preview.py" />
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/grid_preview.py" />
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/grid_preview.py" />
            <source>Average entry if filled so far</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/grid_preview.py" />
            <source>with what is spent so far</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/grid_preview.py" />
            <source>nothing to draw</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/grid_preview.py" />
            <source>leg {count} at {price}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/grid_preview.py" />
            <source>Leg {place}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position.py" />
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Select a position to see its chart.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position.py" />
            <source>Position chart</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position.py" />
            <source>Chart of {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_drawing.py" />
            <source>{percent} from the average entry</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_drawing.py" />
            <source>price then {last}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_marks.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>sold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_marks.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>bought back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_marks.py" />
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Average entry</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_marks.py" />
            <source>{verb} {quantity} {base} at {price}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_marks.py" />
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Group target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_marks.py" />
            <source>, realized {label} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/position_marks.py" />
            <source>bought</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/results.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Equity and drawdown</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/results.py" />
            <source>{time} · equity {amount} USD · since the beginning {amount_2} · drawdown {amount_3} ({percent})</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/charts/results.py" />
            <source>Equity {amount} USD before the first result</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>The secret is hidden here, and counts as the right one. To have it whole, copy the message under Compose.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>Paste a message, yours or one from elsewhere. Nothing is sent.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>Message to check</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>Paste</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>Take the composed one</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>What the listener would say</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>What sends it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>Nothing to check yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <location filename="../src/execution_engine/ui/pages/away/sending.py" />
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <location filename="../src/execution_engine/ui/pages/signals/message.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Sent by</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>What it would come to now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>What to look out for</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/checking.py" />
            <source>Placeholders are filled as on {place}. Nothing is sent.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>There is no webhook: add one under Settings, Webhook &amp; tunnel.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>What is composed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Copy URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Message for TradingView</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Copy message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>the URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>the secret in the message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source> It is the local one: TradingView cannot reach it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source> It contains your secret.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>Show the URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>Show the secret in the message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>In TradingView</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>{size} bytes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>Copied the URL of {token}. It contains your secret.{local}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>Copied the message.{told}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Webhook URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>Hide {what}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/composing.py" />
            <source>Show {what}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/dialog.py" />
            <source>Compose</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/dialog.py" />
            <source>Check a message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/dialog.py" />
            <location filename="../src/execution_engine/ui/composer/glossary.py" />
            <source>Placeholders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/dialog.py" />
            <source>Compose alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/dialog.py" />
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/page.py" />
            <source>Send test alert…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/dialog.py" />
            <location filename="../src/execution_engine/ui/frame/helping.py" />
            <location filename="../src/execution_engine/ui/frame/sheet.py" />
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <location filename="../src/execution_engine/ui/pages/test_alert.py" />
            <location filename="../src/execution_engine/ui/widgets/notices.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Close</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/dialog.py" />
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <source>View</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/dialog.py" />
            <source>Nothing is sent from here but a test alert.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>From the chart</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>As the settings say</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Chosen by the symbol</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>{{interval}} is always 1 in price alerts, so it is written out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>The settings ask for it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>The token in the URL is enough.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>No secret is set; the token in the URL is enough.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>The vault is locked; unlock it first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>as the strategy's orders say</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Fixed symbol</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Timeframe</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Capital in USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Secret in the message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>The capital must be above 0.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <location filename="../src/execution_engine/window.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Webhook</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <location filename="../src/execution_engine/ui/pages/away/sending.py" />
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <location filename="../src/execution_engine/ui/pages/risk/bar.py" />
            <source>Account</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>What sends the alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Side</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/ui/pages/test_alert.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Symbol</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Grid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>TP mode</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Form</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Fields</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Layout</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <location filename="../src/execution_engine/ui/tables/delegates.py" />
            <source>Long</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <location filename="../src/execution_engine/ui/tables/delegates.py" />
            <source>Short</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Exit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Fixed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Structured</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Flat</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Usual</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>By name</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Lines</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>One line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Name a symbol, as {first}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>“{text}” is no timeframe: 15m, 4h, 1d, 30s, or minutes as a number.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>The capital {capital}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/form.py" />
            <source>Capital, USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/glossary.py" />
            <source>In every alert made on a chart</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/glossary.py" />
            <source>Only in the alerts of a strategy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/glossary.py" />
            <source>Placeholder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/glossary.py" />
            <source>Stands for</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/glossary.py" />
            <source>As here</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/text.py" />
            <source>TradingView has no such placeholder; it would arrive as it stands.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Set up a tunnel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>The markets are not known yet: the message cannot be checked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Per leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Aggregate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Hybrid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Strategy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>Price or indicator</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>alert() in a script</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>the strategy, with “Order fills only” or both kinds of events</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>your own, and as trigger “Once Per Bar Close”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>Message: replace all of the text by this message.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>Notifications: tick Webhook URL and paste the URL. TradingView asks for a paid plan and two-factor login.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>Alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <location filename="../src/execution_engine/ui/pages/queue/halts.py" />
            <source> and </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>Refused with {status}, {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>Refused with {status}: {field}: {sentence}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>On the chart press Alt+A. Condition: {condition}. Expiration: open-ended, or as late as your plan lets you; an alert that expired is silent.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>{field}, line {line}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>{kind} on {where}: {said}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>Valid, but not now. {when}{rehearsed}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>Valid. {when}{rehearsed}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>Valid, {size} bytes: the listener answers 202, accepted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>fault</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/composer/words.py" />
            <source>faults</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/desktop_notices.py" />
            <source>Unlock the window to read it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/desktop_notices.py" />
            <source>A warning of Execution Engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/desktop_notices.py" />
            <source>Something is wrong in Execution Engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/desktop_notices.py" />
            <source>Execution Engine needs you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/desktop_notices.py" />
            <source>News of Execution Engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/doors.py" />
            <source>There is no engine that could be described.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Book as closed outside…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Close the rest…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Send the missed alert now…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Compare again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Lift the hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Got it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Booking…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Closing…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <location filename="../src/execution_engine/ui/pages/away/sending.py" />
            <source>Sending…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Reading the exchange…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Lifting the hold…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Noting…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>You booked it as closed outside.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>You closed the rest.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>You sent the missed alert.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>You had it compared again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>You lifted the hold.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>You noted it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Filled while nobody watched</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Filled after its group had ended</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>An order is gone from the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>An order of ours that the books lack</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Orders of somebody else</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>The exchange holds less than the books</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>The exchange holds more than the books</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Closed by the exchange, by force</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>A market is not traded</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>An internal error froze it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>An alert was missed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Close at market…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Close the position…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Dismiss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>exit of the {side} on {timeframe}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>{side} entry on {timeframe}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>reversal to {side} on {timeframe}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>account {account}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <source>{world} world</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/findings.py" />
            <source>Before {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>KuCoin</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>{place}th</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>never</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>no value</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>{place}st</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>{place}nd</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>{place}rd</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>{span} ago</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source> percent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>plus </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/format.py" />
            <source>minus </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Pause</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Close everything…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Lock the window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>Quit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Light theme</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Find anything…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Columns of the table…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Reset the layout of this page</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Reset every layout…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Refresh</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Filter this page</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Full screen</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/page.py" />
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Compose alert…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Paper exchange…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Copy webhook address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>Open data folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>First steps…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <location filename="../src/execution_engine/ui/frame/sheet.py" />
            <source>Keyboard shortcuts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Look for a new version…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>About Execution Engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Pause, empty the queue and close every group at market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Write the message and the URL for TradingView, or check a message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Show, hide and order the columns of the table the cursor is in</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Columns, order and sizes of this page as they were made</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Window, pages, tables and splitters as they were made</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Open new groups again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Store alerts, open nothing; exits and targets go on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/frame/banners.py" />
            <source>Resume</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Dark theme</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>Not possible now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/acts.py" />
            <source>{tip} (Ctrl+Shift+P)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <location filename="../src/execution_engine/ui/frame/tray.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <location filename="../src/execution_engine/ui/frame/tray.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>groups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Close everything</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>signal</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>signals</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>holds</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>stays</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>stay</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>change</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>changes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Unsaved settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Reset every layout</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Put every page back as it was made?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>is</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>are</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Pause and empty the queue?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Pause and empty</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <location filename="../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>Entries</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>are paused; alerts go on being stored</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <source>Queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../src/execution_engine/ui/pages/positions/page.py" />
            <location filename="../src/execution_engine/ui/pages/positions/tree.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <source>Positions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>Afterwards</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>what cannot be closed is listed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>What is typed there is not in force and would be forgotten.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Columns, their order and widths, sorting, splitters, and size and place of the window. Settings, filters and what is open stay as they are.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>is empty already</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>no group holds anything</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Quit while {count} {count_2} open?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Keep running in the tray</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Quit without saving {changes} of the settings?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Discard {changes}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Close {count} at market?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>Close {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>{count} {count_2} cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>{count} that {verb}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>{count} closed at market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>{count} {stays} open without care: no targets, no exits, no risk engine until you start again. Orders already on the exchange stay there.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>is emptied, {queued}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>open order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/asking.py" />
            <source>open orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>The entry order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>The take-profit order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>The closing order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>The offset order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>The emergency order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>These books are older than the last ones. Look at what was found, then let trading go on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>rests</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>rest</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/frame/telling.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Show</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>Alerts are stored, nothing is opened. Exits, targets and fills go on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <source>order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{what}{sent} got no clear answer. Nothing is sent again until it is settled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{what} still {rests}{why}. It is tried again at {time}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>No order is sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/frame/banners.py" />
            <source>Trade again…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/frame/away.py" />
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>decision</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/frame/away.py" />
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>decisions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source> waits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source> wait</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/frame/away.py" />
            <location filename="../src/execution_engine/ui/frame/telling.py" />
            <source>Review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>The {held} world is on hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>is on hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>cannot be used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>No new positions are opened on it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source> of {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{group}: outcome is being looked up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{group}: a cancel was not carried out</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>was</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>were</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>It is not on the exchange.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>The exchange gave no reason.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{names}: up to {span}. Results shown with them may be wrong.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <location filename="../src/execution_engine/domain/audit.py" />
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Paused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>The exchange refused the close. It is tried again at {time}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{count} of open positions is old</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{count} of open positions are old</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>An offset is under way</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{group}: {count} {was} not placed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{group}: {count} {was} rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>Account {account} {word}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{group} is on hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>{group} is not closed yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/attention.py" />
            <source>Offset plan is ready</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/away.py" />
            <source>waits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/away.py" />
            <source>wait</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/banners.py" />
            <source>Read only: nothing can be changed by hand, the engine goes on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/banners.py" />
            <source>Paused: alerts are stored, nothing is opened</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/banners.py" />
            <source>Error: {why}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/banners.py" />
            <source>the engine does not run</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/banners.py" />
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <location filename="../src/execution_engine/domain/facts.py" />
            <source>Security</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/banners.py" />
            <source>On hold: {why}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <location filename="../src/execution_engine/ui/pages/signals/message.py" />
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Copy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>Restore the backup</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>Execution Engine could not start</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Copied</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>Put that right and start again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Why</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>What to do</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <location filename="../src/execution_engine/ui/frame/helping.py" />
            <source>Data folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>Execution Engine {version} could not start.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>Data: {folder}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/fault.py" />
            <source>Put {backup} in place of the database</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <location filename="../src/execution_engine/ui/frame/sheet.py" />
            <source> or </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <source>row</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <source>rows</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <location filename="../src/execution_engine/ui/pages/settings/review.py" />
            <source>Setting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <source>Page</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <source>Row</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <source>Queued signal</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <source>Settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <source>settings tab</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/finds.py" />
            <source>waits {side} {account} {exchange}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/header.py" />
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <source>Engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/header.py" />
            <source>stale</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/header.py" />
            <source>Total PnL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/header.py" />
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>account</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/header.py" />
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>accounts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/header.py" />
            <source>Total = realized {realized} + unrealized {unrealized} = {total} USD
% of capital.total_usd, {capital} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/helping.py" />
            <source>About</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/helping.py" />
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Version</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/lock.py" />
            <source>Execution Engine – locked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/lock.py" />
            <source>The engine goes on. Your master password brings the window back.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/lock.py" />
            <source>The engine goes on. The system's keyring brings the window back, so this lock only hides what is on the screen from whoever passes by. A master password (Settings, Security) makes it more than that.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/lock.py" />
            <source>The engine goes on. There is no master password, so this lock only hides what is on the screen from whoever passes by. One can be chosen in Settings, Security.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/lock.py" />
            <source>The window is locked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/lock.py" />
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Master password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/lock.py" />
            <source>Unlock</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/lock.py" />
            <source>Unlock the window to quit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Dark</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Light</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <source>Like the system</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Theme</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <source>Trade</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <source>Tools</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/menus.py" />
            <source>Help</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>What is new</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>New versions could not be asked about</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>New version</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>position group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>position groups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Until the new version runs, nothing is watched or closed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>There is no file for this computer; its page says more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Open its page</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Download</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Not now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>You have the choice; nothing is installed by itself.{waits}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>There is no newer version</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Published on {published}; version {version} runs here. {file}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>The file is {file}, {size} MB.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source> {count} is open: better close them first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source> {count} are open: better close them first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Version {version} is available</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Update with {groups} open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Version {version} is the newest.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/new_version.py" />
            <source>Execution Engine {version}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/palette.py" />
            <source>↑ ↓ to choose · Enter does it · Esc closes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/palette.py" />
            <source>Find anything</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/palette.py" />
            <source>An act, a page, a position, a setting …</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/palette.py" />
            <source>Found</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/palette.py" />
            <source>not now: {why_not}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/palette.py" />
            <source>Nothing is called “{text}”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/palette.py" />
            <source>Not now: {why_not}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>Trade again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>Let trading go on?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>every account was compared</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>none waits for you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>Comparison</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Differences</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>alerts open new groups again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>not finished: {unread}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>{count} waits under While you were away</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>{count} wait under While you were away</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/restored.py" />
            <source>{count}: targets, exits and open legs go on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/sheet.py" />
            <source>In tables</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/sheet.py" />
            <location filename="../src/execution_engine/ui/frame/sidebar.py" />
            <source>Pages</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/sheet.py" />
            <source>{palette} finds every act by a few letters, with or without a shortcut.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/sheet.py" />
            <source>On the page {title}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/sidebar.py" />
            <source>needs a look</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/stage.py" />
            <source>The engine and the other pages go on. The details are in the log.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/stage.py" />
            <source>Try again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/stage.py" />
            <source>The page {title} failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>Books</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>Open the paper exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>on hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>is read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Status</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>agree</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>{time} local · {time_2} UTC</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>Click to see what was found</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>none in use</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>set by hand</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>{count} not ready</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>{time} local</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source> · last {span}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>{text} old</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>{count} waits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/status_line.py" />
            <source>{count} wait</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/telling.py" />
            <source>An order was rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/telling.py" />
            <source>An order's outcome is being looked up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/telling.py" />
            <source>A cancel was not carried out</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/telling.py" />
            <source>An account cannot be read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/telling.py" />
            <source>Everything is being closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/telling.py" />
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>Show signal</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/tray.py" />
            <source>The engine goes on here. Quit in the menu of this icon ends it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/tray.py" />
            <source>Show the window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/tray.py" />
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>nothing is open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/tray.py" />
            <source>{count} open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/frame/tray.py" />
            <source>Execution Engine
{text}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/holdings.py" />
            <source>account {account} is on hold{more}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/holdings.py" />
            <source>the {world} world is on hold: {reason}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Sending</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Part filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Checking</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Waiting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/choosing.py" />
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Live</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Active</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <source>On hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Opened</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Pyramided</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/domain/audit.py" />
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>Promoted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Reversed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Exited</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>No position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Dequeued</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Replacement</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Queued</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Replaced</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <location filename="../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>Duplicate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Expired</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Exiting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Working</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Ready</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <source>Running</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Complete</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Incomplete</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Skipped</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Reconciling</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>Read only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Starting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Stopped: error</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Target hit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <source>Sold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/icons.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Offset</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>The theme was not changed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>it is being looked for</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>nothing is open and nothing waits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>It contains your secret.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>{title} – Execution Engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>The engine was not resumed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>The engine was not paused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>There is no webhook to copy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>No webhook is enabled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/main_window.py" />
            <source>Copied the address of “{name}”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>It cannot be undone.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>at the market price of now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>Book as closed outside</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>Book as closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>the rest of </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>Close at market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>those that are still open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>Close the rest</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>the groups add up to {ours}, the exchange holds {theirs}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>at {price}, as it was traded</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>Book {amount} as closed outside?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/window.py" />
            <source>Exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>nothing is sent; the loss or gain is booked as realized</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>the hold ends, and what is still held is looked after again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>Close {rest}{finding} at market?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>what is open for them is cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>the positions are closed, their slots are free</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>{named} and {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/pages/away/list.py" />
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <source>{groups}, the oldest first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <source>It ended by itself.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <source>Settled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <source>What</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Pair</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <source>How it ended</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>What was found</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <source>Nothing was settled yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <source>Earlier findings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/earlier.py" />
            <source>Found {time}
{time_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/list.py" />
            <source>{count}; they come up as these are settled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <source>While you were away</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>Got it, all of them</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>Needs a decision</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>Nothing needs a decision.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>What was done</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>Nothing had to be done.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>Nothing else was found.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>Open or earlier</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>nothing waits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>The missed alert was sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>Earlier</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/page.py" />
            <source>{rest} to read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <location filename="../src/execution_engine/ui/pages/away/sending.py" />
            <source>Expected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>The strategy was</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>You were</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>It was due</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>The groups hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>The exchange holds</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>Concerns {concerns}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>More</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>Traded at</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/row.py" />
            <source>Show alert {id}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/sending.py" />
            <source>It goes in by the same door as every alert, as one that came now: it is classified, the limits bind it, and Signals tells its story.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/sending.py" />
            <source>Send the missed alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/sending.py" />
            <source>Send it now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/away/sending.py" />
            <source>It would come to this now: {what}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/choosing.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Paper</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/choosing.py" />
            <source>Testnet and demo</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/choosing.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>All accounts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>The curve begins with the first closed trade.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>All</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>Equity</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>realized, USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>Time span</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/equity.py" />
            <source>realized, USD, since {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>waits to be decided</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>working</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>realized</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>slot</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>slots</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>Full: new keys wait in the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>signal waits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>signals wait</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>does nothing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Pool</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>Risk engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>Last webhook</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Today</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>It closes the worst loser, paid for by the best winners.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>no alert yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>realized · {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>Realized since midnight UTC: {today} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>{free} free: new keys open at once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>{wait} · longest {longest}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <source>next in {span}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>step {at} of {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <location filename="../src/execution_engine/ui/pages/performance/distribution.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>trade</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/figures.py" />
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <location filename="../src/execution_engine/ui/pages/performance/distribution.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>trades</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>All is well.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>Needs attention</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>{count} need attention: {title} …</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>thing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/needs.py" />
            <source>things</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <source>Dashboard</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Results</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>all accounts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>Open positions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>Open Positions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>No positions. The next alert opens the first one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/page.py" />
            <source>{groups} · invested {amount} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/domain/instrument.py" />
            <source>long</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/domain/instrument.py" />
            <source>short</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>no fill yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>There is no price yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Nothing has filled yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Unrealized = ({inner}) × {quantity} = {unrealized} {quote}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{symbol} {timeframe} {side}, unrealized {result} USD, {held}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Pyramids</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Entries that the group has, of those it may have</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Legs that filled, of all</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Last 24 h</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Unrealized % of what is held now, at the prices seen since the start, at most 24 h</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Invested</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>Notional at entry of what is held</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Unrealized</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>(price − average entry) × open quantity, mirrored for a short</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Unrealized in per cent of what is invested</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>no history yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{words}
Price is {price_age} old</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{value}{gap}% of {invested} invested</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>from {points} to {points_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{done} of {whole}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/positions.py" />
            <source>{exchange}:{symbol} on account {account}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Realized</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Everything that was realized in this world, fees included</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Sum of (price − average entry) × open quantity over open groups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Total</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Realized + unrealized</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Win rate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Closed groups with a profit / closed groups that had filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Average win</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Sum of profits / number of closed groups with a profit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Average loss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Sum of losses / number of closed groups with a loss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Profit factor</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Sum of profits / sum of losses</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Trades</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Closed groups that had filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Trades today</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Closed since midnight UTC</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Volume today</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/dashboard/results.py" />
            <source>Price × quantity of all fills since midnight UTC</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Any time</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Last hour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last 7 days</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>From … to …</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Logs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Search text</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Follow</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Keep the newest line in sight</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Export…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <source>All categories</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>From</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>To</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <source>Least level</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <source>Category</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Time</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <source>{name}: your local time, year-month-day and, if you like, hour:minute; empty leaves it open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/bar.py" />
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Level ≥ {level}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <source>Level</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <source>Alert, order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/lines.py" />
            <source>group {group_id}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>The whole line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>Nothing was logged yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>Export the log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>CSV (*.csv);;JSON (*.json)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>Log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Show group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Show alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>Go to newest</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>Select a line to read it whole.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>The log could not be read: {message}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>lines</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>Nothing matches.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>{count} is hidden by the filter</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>{count} are hidden by the filter</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>Nothing matches. {hidden}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>Following is off{lines}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../src/execution_engine/ui/pages/positions/page.py" />
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Clear filter</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>new line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>new lines</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <source>The log was not exported</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/logs/page.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Exported {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>It is being found out whether live prices can be had.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Prices of the real exchanges; lost ones get old.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Prices move by themselves, from a seed; no exchange is contacted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Prices stand still until you, or POST /paper/price, move them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>There are no prices: choose one of these.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Paper exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Auto</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Synthetic</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Manual</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>by hand</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Set price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Prices come from</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Move a price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>No prices yet. Choose a symbol and set its price.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Balances</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>free, after open orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>No paper account was read yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source> Chosen automatically.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Age</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Currency</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Free</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Source of prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Known prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>source of paper prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Give a symbol and a price above zero.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Prices come from the {name} feed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source>Move the price by {nudge} %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/paper.py" />
            <source> This run was started with --paper-feed {name}; the setting says {asked}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Test network</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>All time</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last 30 days</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last 90 days</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last year</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>This month</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last month</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>This year</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <source>Performance</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>All pairs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>First day</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>Last day</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <location filename="../src/execution_engine/ui/pages/risk/bar.py" />
            <source>World</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/bar.py" />
            <source>{name} (UTC) as year-month-day; empty leaves it open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Mon</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Tue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Wed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Thu</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Fri</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Sat</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Sun</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>The month before</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>The month after</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>{amount} USD · {count} · days of UTC</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>Days of {months} {year}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/calendar.py" />
            <source>{isoformat}: nothing was realized</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/distribution.py" />
            <source>Distribution of results</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/distribution.py" />
            <source>{count} from {ends} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/distribution.py" />
            <source> to </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Per pair</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Per timeframe</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Per month</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Calendar</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>Distribution</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>start capital + realized, USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>No closed trade in this range.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>No trade was closed yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Export trades</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>What is listed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>the newest {count} of {many} trades; the export has all</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>The curve begins with the first result.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>The trades could not be read: {message}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <location filename="../src/execution_engine/ui/pages/signals/page.py" />
            <source>Show all</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/page.py" />
            <source>The trades were not exported</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Net, USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Expectancy, USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Max drawdown, USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sharpe</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Average holding</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Mean of the daily changes of the equity / their standard deviation × √365; days are those of UTC</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sum of profits / sum of losses; there is no loss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>From the first fill to the close, sum over closed groups / their number</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Realized in this time, fees included, of open groups as well = {realized} USD
Closed groups alone: {realized_2} USD, {fees} USD of fees</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Closed groups with a profit / closed groups that had filled = {wins} / {trades}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sum of results / closed groups = {amount} / {trades} = {expectancy} USD
Average win {amount_2}, average loss {amount_3}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>, lowest on {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Deepest fall of the equity (start capital + realized) from a peak = {amount} USD, {percent} of the peak{low}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sharpe needs at least {least_trades} trades; there is {trades}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sharpe needs at least {least_trades} trades; there are {trades}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>{count} that had filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>Sum of profits / sum of losses = {amount} / {amount_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>closed group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/strip.py" />
            <source>closed groups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Month</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Entry</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Quantity</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>What the entries filled, in the base currency</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Held</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>From the first fill to the close</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Fees</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>What the exchange took for all fills, entries and exits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Per trade</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Profits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Losses</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Realized / (average entry × quantity)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Opened {time}
Closed {time_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Average over all entry fills = {entry}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Average over all closing fills = {exit}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>{fees} {quote} of entries and exits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>{realized} {quote}, fees included</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Per {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>{wins} wins / {trades} trades</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/performance/tables.py" />
            <source>Sum of profits {amount} / sum of losses {amount_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Show chart</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Show alerts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Exit group…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Cancel open legs…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>See what was found</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>Skip risk once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>Unblock risk</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>Block risk</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Saving…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Lift the hold…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exiting…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancelling…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <source>Releasing…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Undo</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/acts.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>This was not done</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>is cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>are cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Exit group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source> (an old price)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancel open legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Exit at market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Cancel and close</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>are {verb}, about {amount} {quote} at {price}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Result</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>{held} {base} stay and keep their targets</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>nothing is held</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Exit {group} at market?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/settings/review.py" />
            <location filename="../src/execution_engine/ui/panels/form.py" />
            <location filename="../src/execution_engine/ui/panels/target_asking.py" />
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <location filename="../src/execution_engine/ui/widgets/dialogs.py" />
            <source>Cancel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Keep it open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Lift the hold on {group}?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>Cancel {count} of {group}?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancel {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Keep it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Keep them</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>realizes about</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>is looked after again: targets, exits, orders that it lacks</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>If it happens again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>it is put on hold again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>open leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>open legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>nothing is held: the group closes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>{amount} USD of fees included</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>{amount} {quote} of limits are taken off the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/asking.py" />
            <source>are {verb}; there is no price now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <location filename="../src/execution_engine/ui/pages/risk/bar.py" />
            <source>Groups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exit groups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>being closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>open legs are cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>skipped once by the risk engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>left alone by the risk engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>seen by the risk engine again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>as before</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exit {count}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancel open legs of {count}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Skip risk once for {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Block risk for {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Unblock risk for {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exit {count} at market?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Exit {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Cancel {count} of {count_2}?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{count} that holds</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{count} that hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>, {unpriced} without a price not counted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>TP mode is {mode} now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{words} and {rest} more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>what is held stays and keeps its targets; groups without any close</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{holds}, about {amount} USD{without}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>fees included</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{count} is cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>{count} are cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/bulk.py" />
            <source>Not done for {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <source>realized </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <source>Pyramid {pyramid}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <source>realized {text}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Leg {leg}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <source>{some} of {of}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <source>{filled} of {all_of_it}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <source>sold {at}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/cells.py" />
            <source>bought {at}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Open leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Fill</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Chart</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Candles appear where there are enough prices for them</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>How prices are drawn</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Lines: </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/chart_panel.py" />
            <source>Candles</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Pyr.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Pyramids, of at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Legs · wt</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Legs filled, of all; of a leg: its weight</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Average entry; of an open leg: its limit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>What a close would get</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>The target nearest to the price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>To target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Way from the fill to the target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/columns.py" />
            <source>Held; of a leg: filled of ordered</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Fees paid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Next target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Capital</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Risk timer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Facts of the group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>pyramids</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>{grid_name}: {count} per pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>{account} · {grid_name} grid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>Not started</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>On hold: {reason}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/facts.py" />
            <source>What the grids of {name} may spend</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>No group matches the filter.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../src/execution_engine/ui/widgets/fields.py" />
            <source>Filter by symbol</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>State</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>Clear filters</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>No group was closed today.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>All states</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>Closed today</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>A price is old, the sum is too</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>No group matches “{typed}”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>{shown} of {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>{world}invested {amount} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>unrealized</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/filters.py" />
            <source>, stale</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/page.py" />
            <source>No open positions.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/page.py" />
            <source>Chart and facts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/page.py" />
            <source>Tree and chart</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/page.py" />
            <source>Show or hide the facts of the group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Each filled leg closes by itself at its own target.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>The whole group closes at one target above its average entry.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Each leg has its own target and the group a common one; the first reached acts.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>second</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>seconds</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>minute</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>minutes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>hour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>hours</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>day</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>days</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>week</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>weeks</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>month</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>months</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>, the price is old</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>nothing held</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>the last trade</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>down</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>blocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Leg {leg} at {at}, {unrealized}, {word}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{percent} from the base price, target {percent_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{pyramid_count} of at most {max_pyramids} pyramids{more}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Filled at {price} on average; the limit was {price_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Average entry = {invested} invested / {held} held = {average}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>the bid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>the ask</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>What a close would get now: {which}, {by_hand}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Price is {span} old; the stream is reconnecting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>
The group closes at its common target instead.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Whole group: </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Target = {start} × {factor}, rounded {way} to the tick = {shown}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{held} {base} held, {all_of_it} filled in all, {amount} USD invested</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Unrealized = ({difference}) × {held} = {unrealized} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{result} / {invested} invested = {percent}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Forced into the pool</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>skipped once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>until {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Since {time}
{time_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Pyramid {pyramid}, base price {base}, {unrealized}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>unrealized {amount} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{exchange} {symbol}, {timeframe}, {side} on account {account}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{at}
group {group}, grid “{grid_name}”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Base price {base_price}, {capital} USD, grid “{grid_name}”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{filled} of {count} legs filled, those that were sold again among them</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{percent} of the pyramid's capital</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Limit order at {price}, nothing filled yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{closed_quantity} closed for {proceeds}, target {tp_price}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{filled_quantity} of {quantity} {base} filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>{held} {base} held</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Realized = {realized} USD, {fees} USD of fees deducted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>The risk engine leaves it alone</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>The risk engine skips it once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>not started</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>replacement</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>replacements</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Realized {realized} USD, {fees} USD of fees deducted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>Realized so far {realized} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/positions/words.py" />
            <source>, {open_quantity} held</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Confirm Pool Override</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Confirm &amp; Execute</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Remove from the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Remove</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>above</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>below</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/settings/accounts.py" />
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>spot</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>perpetuals</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>1st</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>buy limit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>buy limits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>sell limit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>sell limits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Spends</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>their limits are at or {where} the price, {price}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>{count} of {count_2}: {reached}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>This action will override the 'Max Open Groups' limit and immediately execute the signal for {name}. Are you sure you want to proceed?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Remove {name} from the queue?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source> and {count} more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Remove {count} from the queue?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Remove {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Rank</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>cannot be laid out yet: there is no market price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>at {first}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Fill at once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>none: the price, {price}, has not reached their limits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>, {amount} of margin</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Signal</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>In queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Its alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>ends cancelled; replayed, it waits again as the newest</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/page.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Signals</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>Their alerts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>end cancelled; replayed, they wait again as the newest</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>becomes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>the {place} signals before it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>from {first} down to {last}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>from {first} up to {last}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>now{margin}, {amount} with all {pyramids} pyramids</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>warn!</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>until a group closes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>there is a free slot</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/asking.py" />
            <source>goes ahead of {ahead}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/busy.py" />
            <source>Opening…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Error: Could not force position into the pool. See logs for details.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>No slot is in use. The next alert of a new key opens at once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Last promotions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>who got a slot, and why</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Nothing was promoted yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Take the selected signals out of the queue…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Their places cannot be had back; replayed, their alerts wait again as the newest.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Its place cannot be had back; replayed, its alert waits again as the newest.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Below the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Force add…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Remove…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>No signal of this account waits.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Pool settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source> It keeps its place.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Success: Position group for {name} has been forced into the pool.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>a new key opens</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>new keys open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Nothing waits. {free} of {size} slots {verb} free: {what} at once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>The only slot is used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>{count} removed from the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>{name} was removed from the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Remove {count}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>{count} of {max_queue}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>No signal matches “{text}”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Nothing waits. {taken}: the next new key waits here.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>Pool {used} / {size}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>{count} stayed in the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/page.py" />
            <source>All {size} slots are used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>It opened a group.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>It became a pyramid of its open group.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>Its group had all pyramids: it counts as a replacement.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>{symbol} {timeframe} {side} was promoted, {reason}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>
It waited {span}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>When</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <source>Why it was its turn</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/promotions.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>on {account}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/ranked.py" />
            <location filename="../src/execution_engine/domain/ranking.py" />
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>no fresh price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>when it is full, new signals are rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>when it is full, the last rank is dropped</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>Its key has an open group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>continues the position: needs no slot, goes at once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>Deepest current loss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>a gain counts as 0, and so does a price that is not fresh</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>Most often replaced</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>the newest signal of a key counts, its place in time is kept</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>First in, first out</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>by the time since which the key waits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>each waits without end</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>{count} of {max_queue} · {overflow} · {pool}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>each waits {span} at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>Order of promotion</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>compared one after the other</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/rules.py" />
            <source>rule </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>closing now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>leg by leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Slot held by</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Entries of its key so far / how many it may have</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>(price − average entry) / (common target − average entry)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/slots.py" />
            <source>Forced in above the limit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source> × −1 for a short</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>The alert named no entry price.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>({price} − {entry}) / {entry} × 100{mirrored} = {loss} %; a gain counts as 0</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>since {time}{ends}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>
ends {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>What the alert says the entry is at</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Price now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>The newest price of the market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Current loss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>(price − entry) / entry, mirrored for a short; a gain counts as 0</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>How often a newer signal of its key took its place</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>Why this rank</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>At the market, when it is opened</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>The price is old; the stream is reconnecting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/queue/waiting.py" />
            <source>{exchange}:{symbol}, alert {alert_id}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Run the offset</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Rehearse the offset</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Rehearse</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Winners are closed first. What was closed cannot be taken back.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Quantities follow the prices of that moment</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>{names}, then {loser}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Winner</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Loser</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Together</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Stays open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>This is a rehearsal: nothing is sent to an exchange, no skip is used up. The plan is kept in the history, with what it would have meant.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Nothing is sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Close {plan}?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>part of {step}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Winners</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>nothing of these</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>Rehearse closing {plan}?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>{count} more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>{quantity} at {price}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>fee {amount}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>mores</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/asking.py" />
            <source>after {amount} USD of closing fees</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/bar.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <location filename="../src/execution_engine/domain/facts.py" />
            <source>Risk</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/bar.py" />
            <source>Risk settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/bar.py" />
            <source>Below the plan</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/bar.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>History</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/cover.py" />
            <source>gave</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/cover.py" />
            <source>give</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/cover.py" />
            <source>Winners {verb} {amount} of {amount_2} USD, the loser's loss and closing fee</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/cover.py" />
            <source>nothing is missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/cover.py" />
            <source>{said} of {amount} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/cover.py" />
            <source>{amount} USD are still to come</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/cover.py" />
            <source>nothing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/cover.py" />
            <source>{amount} USD are missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>no position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>entries</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>timer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>loss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>age</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>too small</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <location filename="../src/execution_engine/ui/tables/graphics.py" />
            <source>met</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <location filename="../src/execution_engine/ui/tables/graphics.py" />
            <source>not met</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>legs work</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Loser of the plan</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Pays in the plan</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Can be the loser</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>{span} left</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>price is old</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <location filename="../src/execution_engine/ui/tables/graphics.py" />
            <source>off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>It holds something, and all of it can be sold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Entries done</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>No entry leg is working (risk.require_filled_grid)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Not closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>It is not closing and not on hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>It has all its pyramids (risk.require_full_pyramids)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Timer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Its waiting time is over (risk.post_full_wait_minutes)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Loss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Unrealized result / invested × 100, at a fresh price (risk.loss_threshold_percent)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>It is old enough (risk.use_age_filter)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Not blocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Neither blocked nor skipped once by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>Verdict</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>{said}, off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>ended {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>not yet: {reasons}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>no: {reasons}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/groups.py" />
            <source>on {account}
{line}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>skipped once by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>blocked by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>unblocked by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>winner</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>stands in</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>loser</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>top-up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Shortfall</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Rehearsed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Blocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Unblocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>by the timer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>nothing was sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>would be the same by now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>{done} of {count}; {last}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Planned</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>fee {fee} {fee_currency}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>What the loser came to by its fills; grey: as it was planned</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Winners gave</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>What closing the winners came to, after fees</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Net</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>All closes together, after their fees and before the entry fees</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Details</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>step</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>steps</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>{filled} of {at}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>would have gained {amount} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>would have cost {amount} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>Step {at}, {roles}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>
ended {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/history.py" />
            <source>fees {fees} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>Who can be the loser</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>newest first; open an entry for its steps and fills</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>Nothing yet. Every offset, rehearsal, skip and block is kept here.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>No group of this account is open.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>No position is open. Each one that opens is judged here, rule by rule.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>The risk engine was told</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>History of the risk engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>Show position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>The plan has changed meanwhile: another group would be closed. Look at it again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>Off: the risk engine does nothing.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>Turn on…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>at the prices of {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/page.py" />
            <source>The risk engine has looked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>A winner: its profit pays for the loser</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Stands in for what the planned winners came to lack</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>The loser, closed after the winners paid for it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Makes up what the loser lost more than planned</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>In part</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <location filename="../src/execution_engine/domain/audit.py" />
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Close all</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Close a part</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Close the loser</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{quantity} of {held} held; {left} stay open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{moved} − {fee_percent} % of {at} for the close = {per_unit} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Expected, the closing fee of {amount} USD included: {expected} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{step}, {quantity} at {price}, {amount} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Step {number}, {step} {side}, {said}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Step</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Action</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Of held</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>What a close would get now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Per unit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Result of closing one unit, after the fee of the close; entry fees are spent already</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>Realizes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{done} of {asked}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>By its fills, fees of {fees} USD included: {result} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan.py" />
            <source>{filled} of {quantity}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Current plan</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Skip once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Block</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Run now…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>between two steps</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Not covered</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>There is nothing to be carried out now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>only the covered part is closed, {missing} USD are missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>an offset is under way, {now}; it goes on after a restart</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>{loser} is left alone until you unblock it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>{loser} is left alone once; the next worst group takes its turn</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/plan_panel.py" />
            <source>Block {loser}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Winners are closed first. If a step fails the loser stays open, unless what was realized covers it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Winners, after closing fees</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Loser's closing fee</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Slots that become free</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Projection</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>So far</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>by the fills</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>{symbol}, {left} of {held}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>Winners {amount}, loser {amount_2}, fee {amount_3}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>{gives}: together {amount} USD; {freed} slots become free</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>So far winners gave {amount}, the loser {amount_2}: together {amount_3} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>all of it, nothing is closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/projection.py" />
            <source>{count} of {count_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>all pyramids are there</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>all legs were sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>all legs filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>it is closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>it is on hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>its price is old</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>entry legs still work</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>pyramids are missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>its timer has not started</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>no loss</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>not old enough</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>too small to be sold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>No plan: nothing is open here.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source> Partial offsets are off.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>it does not evaluate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>{post_full_wait_minutes} min after {starts}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>{groups} · all rules must be met: a loss of {loss_threshold_percent} or more, {wait}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>No plan: no group meets all rules. Nearest: {found}, {nearest}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>{amount} USD are missing.{partial}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>runs at the next evaluation{left}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>next in {span} · every {interval_s}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>, in {span}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>rehearsed at the next evaluation{left}: nothing is sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>last evaluated {time} · {next_at}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>timer {span} left</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/risk/words.py" />
            <source>{percent} of {loss_threshold_percent}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/accounts.py" />
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>USDT perpetual</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/accounts.py" />
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>every exchange's rules</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/accounts.py" />
            <source>Account {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Bindings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>the first line that fits counts; all others use the default profile</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Add binding</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Enter a symbol, as BTCUSDT or BINANCE:BTCUSDT.P.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Which profile gets</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Symbol to try</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Timeframe to try</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Move up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Move down</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Known as soon as nothing is wrong with the bindings.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>{default}, the default: no line fits {name} on {frame}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Nothing is bound: every symbol uses the default profile.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Symbols</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Timeframes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <location filename="../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>Profile</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>“{timeframe}” is no timeframe, as 15, 4h or 1D.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>Binding {place}, {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>{profile}, by line {number}: {symbol} on {timeframe}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/bindings.py" />
            <source>{tip} binding {place}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/editors.py" />
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/editors.py" />
            <source>one per line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/editors.py" />
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>On</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>Add profile</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>how the legs of every profile enter</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <source>Worst case: not known while this is wrong</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/grid_tab.py" />
            <location filename="../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>Delete</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Spent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Gap %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Weight %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Target %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Target price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Average so far</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Name of the profile</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <location filename="../src/execution_engine/ui/pages/settings/profile_list.py" />
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>default</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Make default</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Add leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Remove leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Even weights</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Exchange weight and target with the leg above</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Exchange weight and target with the leg below</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Give every leg the same weight</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Leg {line}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>{count} · weights add up to {total} %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Remove leg {picked_leg}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>; every leg is above {min_notional} {quote}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Leg {line}, {titles}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>Gaps move strictly away; weights add up{least}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/legs.py" />
            <source>All filled: {cost} {quote} at {cost_2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>saved in the window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>taken back in the window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Find a setting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Versions…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Import…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>, the defaults</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Use the settings from before that again?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Restore settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Restore</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Import settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Settings (*.json);;All files (*)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Import</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Export settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/step.py" />
            <source>Save settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Save these changes?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/step.py" />
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Save</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Take back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Use them</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>The settings are as before</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Use version {number} again?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Import {path}? {count} would change.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Settings exported</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>, saved {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Version {number}{saved}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>The settings were not taken back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>The versions cannot be read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>version {number} restored</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>setting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>imported from {path}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>{count} is in force</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>{count} are in force</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>The settings were not exported</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>{path} holds no secret.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>is too large for settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>Version {number} cannot be used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/page.py" />
            <source>{path} was not imported</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <source>Preview</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <source>Market of the preview</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <source>Base price of the preview</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <source>Side of the preview</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <source>with</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <source>base</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/preview.py" />
            <source>enter a base price above 0</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>Profiles</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profile_list.py" />
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Grid profiles</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>Add a profile</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profile_list.py" />
            <source>default, </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>a profile needs a name</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>a name has up to 64 letters, digits, spaces, “-” and “_”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>It is the default; make another one the default first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>{symbol} on {timeframe}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>all other symbols</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>all symbols</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>named by alerts only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>there is a profile “{name}” already</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/profiles.py" />
            <source>It is bound to {used}; change that first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/rail.py" />
            <source>, something is wrong</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/rail.py" />
            <source>, not saved</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/rail.py" />
            <source>Settings by subject</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/review.py" />
            <source>Nothing differs.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/review.py" />
            <source>not there</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/review.py" />
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>empty</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/review.py" />
            <source>Before</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/review.py" />
            <source>After</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/review.py" />
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>What differs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>Enter a value.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>Reset</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>{low} to {high}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>above {low}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>from {low}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>below {high}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>at most {high}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>Reset {title} to its default</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/row.py" />
            <source>default {default}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Discard</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Show the setting that is wrong</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source> Open groups keep the grid they were opened with.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Profile {split}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/save_bar.py" />
            <source>Save as version {next}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../src/execution_engine/domain/facts.py" />
            <source>Trading</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Pool &amp; queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Exchanges</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Webhook &amp; tunnel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Notifications</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <source>Data &amp; backups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/tabs.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Appearance</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/template_panel.py" />
            <source>Start from a template</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/template_panel.py" />
            <source>nothing is saved before you say so</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/template_panel.py" />
            <source>Apply</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/template_panel.py" />
            <source>Take the values of {template} into the forms</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>the values it began with</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Saved</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>How</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>What changed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Versions of the settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Compare with</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Restore…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>the one before it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>the newest</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>compared with</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Restoring saves a new version; none is ever lost.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>Restore version {number}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>version {number}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/versions.py" />
            <source>{count} from version {one} to {two}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>Worst case</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>{amount} per pyramid{lever} × {pyramids} pyramids × {groups} groups = {amount_2} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Worst case: leg {amount}, pyramid {amount_2}, group {amount_3}, all {groups} groups {amount_4} USD, {times} × your capital</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Use split</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Heaviest leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Per pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Per group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>All groups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Now in force</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>, {leverage} × leverage in it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>Let the pyramids share a group's capital</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>{capital} USD is set as capital.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source>{times} × your capital</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source> Leverage of {leverage} × is in it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/settings/worst.py" />
            <source> With “split”, a group never spends more than {amount} USD.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <source>with real money</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <source>Replay alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <source>Replay as a new alert?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <source>Replay</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <source>on {mode}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <source>It is marked as a replay and trades {where} now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <source>Checks</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/asking.py" />
            <source>its age and earlier copies do not count; every other rule does</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Last 7 d</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Everything</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Symbol, reason, id</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Outcome</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>All outcomes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Acted on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Still working</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>Write a message for TradingView</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>alerts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>refused request</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>refused requests</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/list.py" />
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Alerts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Refused requests</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>{acted} acted on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>{rejected} rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/bar.py" />
            <source>{failed} failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Reversal</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>waits for its account, a price or a balance</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>the position is being closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>its orders are on their way</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Received</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Type</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Reason</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>webhook “{token}”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/lines.py" />
            <source>Replay of alert {replay_of}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/message.py" />
            <source>as received, secret hidden</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/message.py" />
            <source>Message as received</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/page.py" />
            <source>Alerts and story</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/page.py" />
            <source>No alert matches.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/page.py" />
            <source>No alert yet. Make one with the composer, or send a test alert.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/page.py" />
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Replayed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Not JSON</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>No or wrong secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Not allowed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Too large</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Not valid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Too many failures</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Errors</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Source</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Body</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>No request was refused.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Request</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Check…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Refused requests and one of them</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Look for what is wrong with it, line by line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>Select a request to see why it was refused.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>No reason was given.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source> · token “{token}”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/refused.py" />
            <source>answered {status}{more}{token}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Buy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Sell</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Emergency</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>buy market order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>buy market orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>sell market order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>sell market orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Older than the limit of entries; exits are carried out all the same.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Classified</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>first pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Decided</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Into the queue.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Open legs are cancelled, what is held is closed at market.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Nothing was ordered.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>Nothing had to be ordered.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>accepted by the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>on the way to the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Fills</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{number} on {account}, grid “{grid_name}”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>all {count} fit the rules of {symbol}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{at} {name}: {amount} at {price}{fee}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>average entry {avg_entry}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>unrealized {amount} USD on this pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>from {source}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>token “{token}”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>sent {span} before</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>A replay of alert {replay_of}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>, at most {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>It waits for its account, a price or a balance.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>pyramid {pyramid}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>For the group of {name}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{count} of </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>leg {leg}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source> of {whole}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>, fee {fee} {fee_currency}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>earlier order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>earlier orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>realized {amount} USD on this pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} has no open group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} has an open {side} group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} has all its pyramids</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} is to be closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{name} turns {side}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>{where}, base {base}, {capital} USD; {fits}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>earlier fill</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story.py" />
            <source>earlier fills</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>the signal's</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>its limit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>its target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>Slippage: none, filled as planned</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>Slippage: {percent} than planned{amount}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>accepted {span} after it was sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>at {said}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>{percent} than {said}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>{percent} better</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_orders.py" />
            <source>{percent} worse</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_view.py" />
            <source>Story of the alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/story_view.py" />
            <source>Select an alert to read its story.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Story</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/telling.py" />
            <source>List</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Replay…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Story and message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/telling.py" />
            <source>Back to the list (Esc)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/signals/telling.py" />
            <source>{timeframe} · {side}alert {alert}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/test_alert.py" />
            <source>A long entry on 15m at the market, through the same door as a real alert. It trades on paper.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/test_alert.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Send test alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/test_alert.py" />
            <source>Show its story</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/test_alert.py" />
            <source>Send a test alert?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/test_alert.py" />
            <source>Accepted as alert {alert_id}; it is being decided.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Your own values are in force; a template takes their place.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Capital and positions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>from a template</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>How much, in how many positions?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>A template is a set of values that fit together; each of them can be changed in Settings. The capital is divided evenly: so much may one position have.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Template</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/page.py" />
            <location filename="../src/execution_engine/ui/pages/welcome/step.py" />
            <source>Continue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Save and continue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Positions at once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>{count} at once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>more alerts wait in the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Enter a number.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>; {amount} are free on paper</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>positions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>{pyramids}, one capital for all</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>{pyramids}, each with its own capital</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>Worst case, with every position, pyramid and leg filled: {amount} USD, {times} × the capital.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/capital.py" />
            <source>{amount} USD for each position{balance}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>your body secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1.  In TradingView open the chart, press Alt+A for a new alert and choose its condition.
2.  Settings, Message: replace everything with the message.
3.  Notifications: tick Webhook URL and paste the URL. Then press Create.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>URL and message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>What TradingView has to know</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Put these two into TradingView's alert dialog. Choose what the alert is made of and the chart's timeframe: in price alerts TradingView does not say the timeframe, so it is written out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Price, long</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Price, short</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Price, exit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1 minute</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>5 minutes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>15 minutes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>30 minutes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1 hour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>4 hours</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1 day</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>1 week</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Make a webhook</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Timeframe of the chart</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>it contains a secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>paste it as it is, with its {{placeholders}}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>There is no webhook: every alert is refused.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Show the webhook URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>What the alert is made of</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/hook.py" />
            <source>Alert of</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>They can be kept all the same: the account stays disabled until they were checked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>This key may withdraw. Make one without that right; it will not be saved.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Keys</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>checked while you type</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Which account may the engine use?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Make a key on the exchange's site that may read and trade, not withdraw, bound to this computer's address if it has a fixed one. It is checked while you type and kept, encrypted, once you add it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>not known yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Can read balances</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Can trade</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Cannot withdraw</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Account mode fits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>yes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>no</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>the exchange does not tell</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>The keys are kept and the exchange is asked about them…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Check</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>The exchange could not be asked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>The exchange is asked…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/keys.py" />
            <source>Once the keys are complete.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>What one alert does</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Targets</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>+{aggregate_percent}{gap}% over the average entry</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source> down to {limits}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>+{first}{gap}% on each leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>{words}, or {whole}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>{symbol} {example_time}, long, {base}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>{amount} {quote} at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>of {amount} per pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>+{first}{gap}% on leg 0, +{rest}{gap}% on the others</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>+{first} to +{first_2}{gap}% by leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/outcome.py" />
            <source>1 at market, {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/page.py" />
            <source>not needed on paper</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/page.py" />
            <location filename="../src/execution_engine/ui/places.py" />
            <source>First steps</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/page.py" />
            <source>Skip the guide</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/page.py" />
            <source>Back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/page.py" />
            <source>Skip this step</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/page.py" />
            <source>Close the guide</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>Nothing is traded before you send the test alert. Every choice can be changed later.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>Steps</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>First steps, about three minutes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>not done yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/rail.py" />
            <source>Step {at} of {count}, {text}: {about}, {state}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/step.py" />
            <source>chosen in the first steps</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/step.py" />
            <source>Save these values?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Alert received</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Orders at the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Test alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>opens a paper position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Watch one alert from end to end</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>A long entry on 15 minutes at the market, through the same door as a real alert. It trades on paper, whatever you chose before.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Send another</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>What becomes of it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <location filename="../src/execution_engine/domain/rows.py" />
            <source>live</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>Go to Positions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>its orders are on the way</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>{count} of {count_2} accepted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>; the others wait for lower prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>stored</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>not sent yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>alert {alert}, {time}, {symbol} {timeframe}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>it waits for a price and the balance</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>the first one waits for the price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>none</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>{filled} of {count} filled{rest}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>{open_quantity} held, on average at {entry}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>not yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/trial.py" />
            <source>{symbol} {timeframe} is open on paper: {held}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Paper or exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>where orders go</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Where should orders go?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>TradingView sends an alert, the engine turns it into a grid of limit orders, takes profit, and closes. Start on paper and watch a whole trade without risk.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Auto: live, or synthetic offline</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Live prices of the exchanges</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Synthetic market, works offline</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Manual: you set every price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Prices for paper</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Everything behaves as it will with real orders. You can add an exchange at any time in Settings, Exchanges.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Real exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>You need an API key with reading and trading rights. The next step asks for it; the test alert at the end still trades on paper.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Continue with paper</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Continue with an exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Fees, filters, partial fills and delays as on a real exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>No account, no keys, no network needed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>recommended to start</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Binance, Bybit, OKX or KuCoin, spot or USDT perpetuals</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>Keys are checked before they are saved, and stored encrypted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>A key that may withdraw is refused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>can be changed later</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/pages/welcome/where.py" />
            <source>{start} USD of play money, spot and perpetuals</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Disabled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Reading</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Error</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>keys fit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Accounts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>keys are kept encrypted, and checked daily</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Add account…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Check keys now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Enter other keys…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Make it the default</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Enable</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Disable</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Open nothing more on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Let trade:</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>practice: no keys, no real money</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>keys not checked yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>checked {span}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>whether they may withdraw the exchange does not tell</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>cannot withdraw</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>bound to addresses</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>not bound to an address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>have ended</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>{exchange} is asked about the keys of {name}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Account {shown}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>Let {shown} trade</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>More about {shown}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts.py" />
            <source>end on {expires_at}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/adapters/security/pasted.py" />
            <source>API key</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/adapters/security/pasted.py" />
            <source>API secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Passphrase</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Live: real money</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Demo: the exchange's practice account</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Testnet: the exchange's test system</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Paper: practice inside this program, no keys</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Spot</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Make keys that may read and trade, not withdraw, bound to this computer's address if it has a fixed one. The account trades once you enable it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>They take the place of those it has, and are checked at once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Look at the keys on the exchange's site first: if they may withdraw, make others.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Enable account</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Remove account</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Add account</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Add and check</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/ui/panels/target_asking.py" />
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Name</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Mode</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Save and check</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>From now on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>its alerts become orders; what it holds is read first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>It cannot withdraw: enable</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>The vault is locked; this opens it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>passphrase</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Perpetuals</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>leverage and margin mode are set as its settings say</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Withdrawals</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Let {name} trade?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Remove {account} and forget its keys?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>This computer has no keyring. A master password keeps your keys; lost, they have to be entered again, nothing else is lost.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Spaces and line breaks around or in the {what} are taken out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Keys of {account}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Its keys</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>are deleted from the vault; on the exchange they stay until you delete them there</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>Its history</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>stays, under its name</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/accounts_asking.py" />
            <source>{exchange} does not tell whether these keys can take money out</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Done in this window.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Asked for by the command line.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Brought about by what was sent to the webhook.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Found by the daily check of the keys at their exchange.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Done by the engine itself.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Audit log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>every sensitive act, each chained to the one before it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Search the audit log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Verify</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Nothing was written down yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>The chain is being verified…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>It was written before this was noted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Act</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>Export the audit log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>{shown} of </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>entry</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>last: {newest} · {hash}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>{hash}
Noted elsewhere, it proves this log later.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>{time}
entry {entry}
{hash}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source> And {count} more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/audit.py" />
            <source>The chain holds from the first entry to the last, checked {at}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>sound, just now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Last backup</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Next backup</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Size of the database</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Free on the disk</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Set aside</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Restore a backup</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Database</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>its backups are made while the engine runs, and checked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Back up now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Check the database</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Restore a file…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Export trades…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>There is no backup yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>never: switched off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>The database is being checked…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>its state</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Backups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>none yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>soon</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>not checked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>when it was made</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Put {name} in place of the database?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>in {span}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Size</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Made</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Checked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>{path} is being checked…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>the state of {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>The engine stops for a moment and begins again with {when}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>Since then</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>what came later is not in it; the present database is kept</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>every exchange is read first; nothing is sent until you say so</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>to what exchanges hold stand under While you were away</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>stay; settings and webhooks are those of the backup</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>The database is sound, every sum of money adds up, and the audit log is whole.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>This version of the program cannot read it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/backups.py" />
            <source>sound, and every sum adds up.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/files.py" />
            <source>Table (*.csv);;JSON (*.json)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/files.py" />
            <source>Backups (*.sqlite);;All files (*)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>measured</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>Alert → answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>received, stored, answered; TradingView waits 3 s at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>Alert → order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>received until the exchange has the order; not from the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>Order → fill</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>order left until its fill is in the books, where it fills within a minute</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Latency</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>of the last hour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>Diagnostic bundle…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/latency.py" />
            <source>Write versions, settings and the newest log into a zip, without any secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/passwords.py" />
            <source>New master password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/passwords.py" />
            <source>Strength</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/passwords.py" />
            <source>Once more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/passwords.py" />
            <source>{word}: {lasts} for somebody who has the file and many computers</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/passwords.py" />
            <source>The two differ.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/target_asking.py" />
            <source>Add target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/target_asking.py" />
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Add</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/target_asking.py" />
            <source>Kind of target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/target_asking.py" />
            <source>Who is to be told?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/target_asking.py" />
            <source>Kept encrypted in the vault.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>As for all</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Web address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>E-mail</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Nobody outside is told. Add Telegram, Discord, e-mail or another place.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>told outside of the window, by the rules below</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Add target…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Remove target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Turn off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Send test</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>nothing told yet since the start</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>target {name}: {field} changed in the window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Its address is deleted from the vault, and what waits for it is not sent.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>address unknown</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Turn on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source> · {lost} given up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>{sent} told, the last {span}{lost}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>A test is on its way to {name}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Tell {shown} nothing any more?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Target {shown}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Least level that {shown} is told</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>{waiting} waiting · </source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Send {shown} a message now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/targets.py" />
            <source>Remove {shown}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>Way in from outside</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>TradingView sends to a public address only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>Start tunnel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>Check now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>is being checked…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>copied; a webhook's whole URL is copied above</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>To install one of them:</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>Program that makes the tunnel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>Copy the public address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>Stop tunnel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>{path} changed in the window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Public address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Program</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/tunnel.py" />
            <source>none; the local one is {local}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Protects against: a stolen computer or disk, a copied folder, a backup in wrong hands; without the password none of them opens. Not against: a program that runs as you while the vault is open, or that reads what you type.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Protects against: a copied folder or a backup in wrong hands, and a stolen disk as far as your login does. Not against: whoever is logged in as you, and any program that runs as you.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Either of the two opens it, so it protects as the weaker one does: not against whoever is logged in as you, nor any program that runs as you.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>It is made with the first keys. Then the system's keyring opens it, or a master password where there is no keyring or you prefer one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Everything is encrypted anew; this takes a second…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>a master password or the system's keyring</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>nothing in it yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <location filename="../src/execution_engine/unlocking.py" />
            <source>a master password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Keys and secrets</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>AES-256-GCM, in one file</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Open…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Use the system's keyring…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Forget all keys…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>The master password opens the vault from now on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>The system's keyring opens the vault from now on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>The vault was deleted. Delete the keys on the exchanges, too.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>There are no keys yet, and so no vault.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <location filename="../src/execution_engine/unlocking.py" />
            <source>the system's keyring</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Change password…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>Use a master password…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>This system has no keyring that could be used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>The vault is locked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>The vault is open ({inside}); {locks} opens it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault.py" />
            <source>The vault is locked; {locks} opens it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>The vault is open.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>It opens the vault at each start, and the window after it was locked. Lost, the keys have to be entered again; nothing else is lost. A start that nobody attends needs it in a file (--password-file).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>its keys and secrets</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Forget all keys</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Delete the vault with every key in it?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Open the vault</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>The system's keyring is asked…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>This takes half a second…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Change the master password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Use a master password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Use the system's keyring</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Use the keyring</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Until it is open, accounts with keys cannot be traded; alerts are stored.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Change</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Use it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>The vault is opened without asking while you are logged in, so also at a start that nobody attends. Programs that run as you could ask the keyring as well, and a locked window is opened by whoever sits at this session.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>{keys} entries: keys, secrets, addresses</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Deleted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>stay, and trade no more until their keys are entered again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Open orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>stay on the exchange; positions are not looked after</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>On the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>the keys stay valid until you delete them there</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>Present password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/vault_asking.py" />
            <source>{inside} and the copy that was kept; there is no way back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Every account, those that are added later as well</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>all refused from now on, exits as well: the settings require it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>that show only this secret are refused from now on, exits as well</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>is refused at once; alerts that use it are lost</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>counts for 24 hours more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>New webhook URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Make a new URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Revoke webhook</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Revoke</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Only TradingView</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Take alerts from TradingView's addresses only?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Take only these</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Replace</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Set</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source> Alerts that still carry the old one are refused from then on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Make one up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Allowed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>TradingView's four addresses; other senders are refused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>An address can be forged by programs on this machine; it is a filter, not a secret.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Name, as of the strategy or the sender</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Fill in 32 random letters; Copy shows what they are</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Remove the {short}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Forget the {short}?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Give {name} a new URL?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Revoke {token}?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Sender</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>is read from the tunnel's header: 127.0.0.1 becomes a trusted proxy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Its alerts may use</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>{verb} the {short}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>This computer has no keyring. A master password keeps the secret; lost, it has to be set again, nothing else is lost.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>stay as they are and are looked after</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Old URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>To do</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>put the new one into TradingView's alerts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>Its URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_asking.py" />
            <source>is refused from now on, exits as well; TradingView does not send them again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>The vault is locked: what is set is neither shown nor compared. Alerts that need one of these secrets are asked to come again (503) until you open it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Body secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <location filename="../src/execution_engine/adapters/webhook/authentication.py" />
            <location filename="../src/execution_engine/unlocking.py" />
            <source>body secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>the field “secret” of a message</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Senders write it into the field “secret” of their messages.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <location filename="../src/execution_engine/unlocking.py" />
            <source>HMAC secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>signs the body, in the header X-Signature; TradingView cannot</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Senders sign each body with it, in the header X-Signature: sha256=&lt;HMAC-SHA256 of the body&gt;. TradingView cannot.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Secrets of senders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>besides the URL; kept in the vault</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Open the vault…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Replace…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>unknown while the vault is locked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>It is encrypted and kept…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Set…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>required, and not set: every alert is refused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>not set</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Copied the {short}. Whoever has it may send alerts.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Show the {short}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Copy the {short}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Remove the {short}…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Replace the {short}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhook_secrets.py" />
            <source>Set the {short}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Webhooks</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>one for each strategy or sender; its URL is a secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Add webhook…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Only TradingView…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source> It is the local one: TradingView cannot reach 127.0.0.1.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Rename…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Accounts…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>New URL, the old one counts 24 hours more…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>New URL, refuse the old one at once…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Revoke…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Add webhook</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Rename webhook</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Rename</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>never used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Refuse every sender but TradingView</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>alerts from TradingView only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>every account</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Copied the URL of {name}. It contains a secret.{more}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Accounts of {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Webhook {shown}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>used {span}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>old URL until {time} · {used}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Show the URL of {shown}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>Copy the URL of {shown}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/panels/webhooks.py" />
            <source>{names} only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <source>The risk engine does nothing.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <source>An offset is under way.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <source>The engine is paused: no offset is begun.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <source>It plans and sends nothing.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Rehearsal</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/risk_board.py" />
            <source>No offset is begun: {reason}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/empty.py" />
            <source>Loading…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/header.py" />
            <source>Reset layout</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Copy as CSV</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Open the row, or do what its button does</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Fold and unfold the row</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Unfold everything below it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Open the menu of the row</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Select several rows</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Select all rows</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Copy the selected rows with full precision</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/tables/views.py" />
            <source>Copy them as CSV, with headings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/dialogs.py" />
            <source>Type {type_this} to go on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/fields.py" />
            <source>Clear</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/fields.py" />
            <source>Search</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/marks.py" />
            <source>busy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/marks.py" />
            <source>{used} of {size} slots used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/marks.py" />
            <source>{mode} mode</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/notices.py" />
            <source>success</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/notices.py" />
            <source>info</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/notices.py" />
            <source>warning</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/notices.py" />
            <source>error</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/ui/widgets/notices.py" />
            <source>{unseen} more in Logs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/window.py" />
            <source>public address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/window.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Tunnel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/window.py" />
            <source>Your data is as it was before the update</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/window.py" />
            <source>{backup} was restored. Start Execution Engine again: it reads every exchange before anything trades.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/window.py" />
            <source>no public address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/window.py" />
            <source>{names} · {feed} prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>How much the engine trades with.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Pool and queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>How many groups may be open, and what waits for a place.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>How a signal becomes legs.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Take profit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>When a position is closed with a profit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Which alerts are acted on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>When a loser is closed and paid for by winners.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>How each account trades perpetuals.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Where alerts arrive, and who may send them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>The way in from outside.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>How practice trading behaves.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>How orders are followed at the exchange.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>What is written down, and how long it is kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Copies of the database that are made by themselves.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>What is told outside of the window.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>Updates</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>New versions of the application.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>How the window looks.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>This computer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>How the application lives on the desktop.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>What may be changed, and when the window locks itself.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The money the engine trades with; every group gets an equal part of it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Pyramid capital</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>full: every pyramid spends a group's whole capital. split: the pyramids share it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Full</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Split</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>Largest order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Largest notional of one entry order; 0 means no limit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Open groups at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How many position groups may be open at once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Pyramids at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How many entries one group may have.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Queue at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How many signals may wait for a slot.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>When the queue is full</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>reject_new: the new signal is rejected. drop_lowest: the last in rank makes room.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Reject new</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Drop lowest</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Longest wait</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How long a signal may wait; 0 means for ever.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Default profile</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The profile that is used where nothing else is bound.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>First leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How the first leg enters: a limit at its price, or at market.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Limit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Slippage at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How far the market may be from the base price for a first leg at market.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Give up unfilled after</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>A group that never filled is closed after this time; 0 means never.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>per_leg: each leg at its own target. aggregate: all at once. hybrid: whichever is first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Target of the group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Distance of the whole group's target from its average entry.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>market: watch the price and close. limit: rest the targets on the exchange.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>When everything is sold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>close: unfilled legs are cancelled, the group ends. keep_grid: they go on working.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Keep grid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Entry against an open group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>reject: it does nothing. reverse: it closes the group and opens the other side.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Reject</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Reverse</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Duplicate window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Equal bodies without an id count as one alert for this long.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Age of entries at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Older entries are rejected.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Age of exits at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Older exits are rejected.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Deviation at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How far an alert's price may be from the market.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Most capital an alert may ask for</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Up to what an alert may raise its group's capital; 0 means not above the group's.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Symbols that may be traded</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Patterns, as BTC* or BINANCE:BTCUSDT.P; empty means all.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>Entries per day</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Entries per world and UTC day; 0 means no limit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Enabled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Let the risk engine evaluate and offset.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Plan and record, send nothing. auto: in the live world only.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Evaluate every</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Time between evaluations.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Timer starts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>What starts a group's waiting time: all its pyramids are there, all their legs are on the exchange, or all of them are filled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>After 5 pyramids</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>After all DCA submitted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>After all DCA filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Waiting time</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Waiting time before a group can be the loser.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Reset timer on replacement</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>A replacement pyramid starts the time again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Require full pyramids</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Only groups with all pyramids can be the loser.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Require filled grid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Only groups without working entries can be the loser.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Loss from</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Loss from which a group can be the loser.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Ask for an age</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Ask for a least age of the loser.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Age at least</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How old the loser must be at least, where an age is asked for.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Winners at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How many winners may pay for one loser.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Allow partial offset</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Close a part of the loser when winners don't cover it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Top up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Make up a shortfall from the winners once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Address to listen on; anything but 127.0.0.1 or localhost exposes it to the network.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Port</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Port to listen on; 0 picks a free one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Token required</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The path must carry a valid token.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Secret required</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The body must carry the secret.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Signature required</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The request must be signed (X-Signature).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>IP allowlist</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Addresses and networks that may send; tradingview stands for TradingView's. Empty means all.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Trusted proxies</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Direct peers whose forwarding header is believed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Proxy header</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The one header of a trusted proxy that names the sender. auto: X-Forwarded-For, or where there is none CF-Connecting-IP.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>X-forwarded-for</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Cf-connecting-ip</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Further names</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Names, beside the public address, under which alerts may arrive; * stands for any. What is sent to another name is refused once there is a public address.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Alerts per minute</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Most alerts taken in a minute.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Failures per minute</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Wrong secrets from one address before it is answered 429.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Run a tunnel from here, so that TradingView reaches the listener.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The program that makes the tunnel. auto: the first one that is installed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Cloudflared</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Ngrok</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Tailscale</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Host name</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The tunnel's host name where it has a fixed one: of a named cloudflared tunnel, or a domain at ngrok. Empty: the program says.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Tunnel at Cloudflare</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Name or id of a cloudflared tunnel of your own. Empty: a quick tunnel, whose address is another one after every start.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Where the listener is reached from outside without a tunnel of this program: through port forwarding or a proxy of your own.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Check every</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Time between two checks that the public address leads here.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Where practice prices come from; auto: live, or else synthetic.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Maker fee</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Fee of resting orders.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Taker fee</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Fee of orders that fill at once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Time until the paper exchange answers.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Start balance</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Practice money of each paper account.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Read open orders every</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Time between two readings of open orders.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Retries</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How often an account that could not be read is read again soon, each time after twice as long; after that once a minute.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Failures until a break</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Failures one after another that open an account's circuit breaker.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Break</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Pause before the exchange is tried again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Log level</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Least level that is written.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>DEBUG</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>INFO</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>WARNING</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>ERROR</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>CRITICAL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Keep logs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Days a log is kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Compress logs after</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Days until a log file is compressed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Keep the audit log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Days the audit log is kept; 0 means for ever.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Back up every</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Time between backups; 0 means none.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Keep at most</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How many backups are kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Where they go; empty means the data folder.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Desktop</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Show notices of the desktop.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Tell from level</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Least level that is told outside.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Tell also</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Kinds of events that are told whatever their level: codes, as group_closed or risk_*, or categories, as SECURITY. The log shows each event's code.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Tell never</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Kinds of events that are not told outside, whatever their level.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Quiet from</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Local time from which only what is critical is told, as 22:30; empty means never.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Quiet until</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Local time until which it is quiet, as 07:00.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>At most per hour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Messages to each target; what is left out is told in one. 0 means no limit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Daily summary at</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Local time of the daily summary, as 20:00; empty means none.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Alarm: prices older than</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Age of the prices of open positions from which you are warned; 0 means never.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Alarm: errors per minute</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Errors in the log from which you are warned; 0 means never.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Alarm: slow answers</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Time from alert to answer (p95 of five minutes) from which you are warned; 0 means never.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Alarm: free disk below</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Room on the disk below which you are warned; 0 means never.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Alarm: unhealthy for</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>How long something may be wrong before you are warned; 0 means never.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Look for new versions; nothing is installed by itself.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Every</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Time between two looks.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>While open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Offer new versions without asking back while positions are open.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Language</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Language of the window; another one is spoken from the next start.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <location filename="../src/execution_engine/domain/facts.py" />
            <source>System</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>English</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Deutsch</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Colours of the window.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Scale</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Size of text and controls.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Comfortable</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Higher table rows.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Keep the computer awake</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>While positions are open the computer does not go to sleep; its screen may go dark.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Close to tray</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Closing the window leaves the engine running, with an icon in the system's tray; Quit ends it. Where the desktop has no tray, closing the window quits.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Start at login</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Start the application when you log in.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Nothing can be changed by hand, not even paused or closed; the engine goes on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Lock the window after</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Time without a key or a click after which the window is covered until you unlock it; 0 means never. The engine goes on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Leverage</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Leverage on perpetuals.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Margin mode</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Margin mode on perpetuals.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Isolated</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Cross</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Position mode</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Position mode on perpetuals.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>One way</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Hedge</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Default</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Take the alerts that several accounts would fit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/rows.py" />
            <source>paper</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/rows.py" />
            <source>testnet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/rows.py" />
            <source>demo</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/rows.py" />
            <source>test</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Account added</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Account checked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Account enabled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Account disabled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Account default</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Account removed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Keys entered</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Keys removed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Secret entered</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Secret removed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Target entered</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Target removed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Vault made</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Vault unlocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Vault locked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Vault refused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Vault protected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Vault forgotten</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Window locked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Window unlocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Settings saved</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Secret guessed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Token added</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Token rotated</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Token revoked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Token renamed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Token allowed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Resumed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Cancel legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Queue removed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Risk changed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Risk run</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Finding decided</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Backup made</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Backup failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Backup restored</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Recovered</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Moved</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Exported</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Audit broken</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Checkpoint</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/facts.py" />
            <source>Api</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/origin.py" />
            <source>Window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/origin.py" />
            <source>Command line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/origin.py" />
            <source>Listener</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/origin.py" />
            <source>Exchange key check</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/origin.py" />
            <source>Automatic</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/templates.py" />
            <source>Careful</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/templates.py" />
            <source>Balanced</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/templates.py" />
            <source>Aggressive</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Telegram</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Bot token</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Chat id</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Discord</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Server</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>User</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>URL</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Other</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/closing.py" />
            <source>Group closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>Defect</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/hints.py" />
            <source>Doubtful timeframe</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>Alert rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>Request refused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>Same id other body</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/listings.py" />
            <source>Found halted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/market.py" />
            <source>Target reached</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>Position differs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/netting.py" />
            <source>Netted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/plan.py" />
            <source>Leg planned anew</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/plan.py" />
            <source>Leg left out</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>Group opening</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>Interrupted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>Account unreadable</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>Order rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>Cancel refused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>Order unknown</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>Order filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>Risk rehearsed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>Risk skipped</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>Group closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>Late fill</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>Entry failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>Group failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/way_in.py" />
            <source>Way in</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <location filename="../src/execution_engine/accounts.py" />
            <source>There is no account “{v0}”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} is the default for {v1} now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} still has working orders; wait until they are done.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Signals for account {v0} wait in the queue; remove them first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} has {v1} open groups; close them first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} was removed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} was disabled: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} is disabled: it opens nothing; what it holds is looked after.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>disabled by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} ({v1}) is in use, and prices of {v2} and {v3} are not mixed: disable {v4} and close what it holds before you enable {v5}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>{v0} does not tell whether the keys of account {v1} can take money out. Make sure on its site that they cannot, and confirm it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} were not checked yet; check them first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} is enabled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} ({v1}) was enabled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <location filename="../src/execution_engine/domain/readiness.py" />
            <location filename="../src/execution_engine/engine/state.py" />
            <source>reading the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} were checked: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} are fit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} were checked: they are fit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>The keys of account {v0} were {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} was added. It is disabled until you enable it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>Account {v0} ({v1}) was added; it is disabled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>{v0} has no {v1} mode for {v2} markets; it has these: {v3}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>The exchange “{v0}” is not known; these are: {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>The paper exchange knows no mode but paper.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>There is an account “{v0}” already.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/account_commands.py" />
            <source>An account's name has up to 32 letters, digits, “-” and “_”, and begins with a letter or a digit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/age.py" />
            <source>the alert is {v0} s old, the limit is {v1} s</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/age.py" />
            <source>the alert's timestamp is {v0} s in the future; check the clock of this machine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>All is well again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>What was to be closed is closed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>There is room on the disk again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>Alerts are answered quickly again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>There are few errors again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>Prices of open positions are fresh again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>Something has been wrong for {v0} s: {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>{v0}. It is tried again until it is closed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>Only {v0} MB are free on the disk; without room nothing is stored.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>Alerts are answered after {v0} ms (p95); TradingView waits 3 s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>{v0} errors were logged within a minute; Logs shows them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alarms.py" />
            <source>Prices of open positions are {v0} s old; targets and risk wait for new ones.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>{v0} arrived unreplaced: TradingView fills it only in the message of an alert made on a chart, and {{{{strategy.…}}}} only in alerts of a strategy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>{v0} is no time; send it as {{{{timenow}}}} or 2026-11-20T14:32:08Z</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>{v0} must be above 0</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <location filename="../src/execution_engine/domain/typed.py" />
            <source>has more than {v0} digits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>{v0} is not a number; write it with a point, as 64000.5</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <location filename="../src/execution_engine/domain/document.py" />
            <location filename="../src/execution_engine/domain/typed.py" />
            <source>must be a number</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>{v0} must be {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>{v0} is no timeframe; send minutes (15, 240), 30S, 1D, 1W or 1M</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>{v0} holds characters that no {v1} has; send it as {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>is missing; send it as {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>holds characters that cannot be shown</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>is longer than {v0} characters</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be text</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>must be an object, as {…}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>nothing says what to do: send action (buy, sell), market_position or execution_intent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>the number {v0} cannot be used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>{v0} is not a number that can be used; an unquoted placeholder may have become it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>the field “{v0}” stands twice</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>the body is not valid JSON ({v0}); check quotes and commas around placeholders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>the body is nested more than {v0} levels deep</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>the body is not UTF-8 text</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/alert.py" />
            <source>the body must be a JSON object, as {"tv": …}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>Audit entry {v0} ({v1}) does not follow from the one before it: it was changed, or one before it was changed or taken out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>What was written down until then was removed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/audit.py" />
            <source>And more of them:</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>{v0} trade{v1} by these settings at once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>Real money</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>begins: nothing can be changed by hand, not even paused or closed, until it is switched off.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>ends: everything can be changed again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>believes the forwarding header of everybody in {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>takes alerts from every address.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>does not insist on {v0} any more; one of token, secret and signature is enough.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>the secret in the body</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>a token in the path</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>is reachable from the network at {v0}; behind a tunnel 127.0.0.1 is enough.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>closes positions in the live world, too: it does not rehearse any more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>that are older than {v0} s are rejected from now on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>are not limited any more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>is not limited any more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>rises from {v0} to {v1} ×; positions are liquidated after a smaller move.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/cautions.py" />
            <source>rises from {v0} to {v1} USD, {v2} × the capital.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/changes.py" />
            <source>{v0}; and {v1} more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/changes.py" />
            <source>nothing differs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/changes.py" />
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>{v0} entries</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>Waiting signals are promoted again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>The position is looked after again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>Released by you.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>The exchange is being read again; the hold ends if it fits now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>compared again at your wish</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>It is being closed; what the exchange refuses is tried again once it is traded.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>the message must name the account “{v0}”, where the alert was missed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>the message is about {v0}, what was missed about {v1} {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>the message is longer than {v0} bytes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>It was sent as alert {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>Sent by you as alert {v0}{v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>alert {v0} came under this id already; give the message another one</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>The position is being closed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>Closed by you{v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>closed by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>you closed it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>What was missing is booked as closed outside; the rest is being closed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>the rest was closed by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>What was missing is booked as closed outside.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>Booked as closed outside, by you.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>orders that close this position rest or are on their way; wait until they are settled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>closed outside the application</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>what these positions hold has changed since it was compared; decide once it was compared again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>the exchange is being read again; decide once that is done</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>Dismissed by you{v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>“{v0}” cannot be chosen here; there are: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>there is nothing to decide under {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <source>(command line)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/choices.py" />
            <location filename="../src/execution_engine/main.py" />
            <source>this machine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/closing.py" />
            <location filename="../src/execution_engine/domain/pool.py" />
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>the new side was not opened: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/closing.py" />
            <source>{v0} is closing: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Account {v0} was saved.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Settings were saved.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Settings were saved{v0}: {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} {v1} was removed from the queue.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} {v1} on {v2} was taken out of the queue.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>removed by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Position group for {v0} has been forced into the pool.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} on {v1} was forced into the pool.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>no signal {v0} waits in the queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Running again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Resumed by hand.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Paused: alerts are stored, nothing is opened; exits, targets and fills go on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Paused: alerts are stored, nothing is opened.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>Paused by hand.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} groups are being closed, {v1} queued signals were removed; the engine is paused.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>everything was closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} is {v1} the risk engine{v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>, skipped once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>free for</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>blocked for</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} on {v1} for the risk engine: blocked {v2}, skipped once {v3}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} takes its profit {v1} now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} on {v1} takes its profit {v2} now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} open legs of {v1} are being cancelled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>The open legs of {v0} on {v1} were cancelled by hand.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} is being closed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} is closed once you resume: {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>{v0} on {v1} was closed by hand.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/commands.py" />
            <source>there is no open group {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_check.py" />
            <source>is not the one that is set; copy the message with its secret anew</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_check.py" />
            <source>is missing; the message must hold it as "secret": "…"</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_check.py" />
            <source>is required, but none is set: set one, or switch webhook.secret_required off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_check.py" />
            <source>cannot be compared while the vault is locked; unlock it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_check.py" />
            <source>a signature is required, and TradingView cannot sign: switch webhook.signature_required off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_check.py" />
            <source>is {v0} bytes long; more than {v1} KiB are not taken</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_check.py" />
            <source>The alert fires</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>Closes the short</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>Sells while flat</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>Turns from long to short</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>Closes the long</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>Buys more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>Buys while flat</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>How much it holds, negative when short.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>How much of it, without a sign.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>What it held before. It tells reversals and missed alerts.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>What the strategy holds after the order: long, short or flat.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>What the script gives the order as alert_message.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The order's comment in the script, or its name where there is none.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The order's name in the script. A quotation mark in it breaks the message.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The price of the strategy's own, simulated fill. It is the base price.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>How much the strategy orders. Not used: the grid decides how much.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>What the strategy's order does: buy or sell.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The currency that is traded, as BTC.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The currency that the price is in, as USDT.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The first plot of the indicator; plot_1 is the second, and so on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>When the alert fired, UTC, in whole seconds. It tells the alert's age.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>When the bar began, UTC. One bar older than the alert: no good as a timestamp.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's volume so far.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's last price. It is the base price where no order price is sent.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's lowest price so far.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's highest price so far.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The bar's first price.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The chart's timeframe, as 15 or 1D. Always 1 in price alerts and on Range charts.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The chart's symbol without its exchange, as BTCUSDT, or BTCUSDT.P for a perpetual.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_placeholders.py" />
            <source>The chart's exchange, as BINANCE. Delayed data end in _DL or _DLY; both are understood.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_rehearsal.py" />
            <source>opens a {v0} position with {v1} legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_rehearsal.py" />
            <source>is a copy of alert {v0}: nothing more happens</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_rehearsal.py" />
            <source>waits until its account, price and balance are known</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_rehearsal.py" />
            <source>closes the position, then opens the other side</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_rehearsal.py" />
            <source>closes the position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_rehearsal.py" />
            <source>adds a pyramid</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>The secret in the message is not the one that is set.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView shows the message, secret and all, in its alert list and log.{v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>The token in the URL is enough here.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>“Only Once” ends the alert with its first firing, “Once Per Bar” fires before the bar is done, and more than {v0} firings in 3 minutes stop it: choose “Once Per Bar Close”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView stops an alert that fires more than {v0} times in 3 minutes; bars of {v1} can do that.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>Nothing tells one alert from the next: two of them within {v0} s count as one. Add an id.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>The id does not name the symbol: on several charts, alerts of the same second count as one. Put {{ticker}} into it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>{{timenow}} has whole seconds: two orders of the same second have the same id, and the second is taken for a copy. Put {{strategy.order.id}} into it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>The id holds no {{timenow}}: for 90 days every alert after the first is taken for its copy. Put {{timenow}} into it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>{{interval}} is 1 on Range charts: there, write the timeframe out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>{{interval}} is always 1 in price alerts, whatever the chart shows: write the timeframe out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>{{{{time}}}} is when the bar began: with {v0} bars every alert seems {v1} old{v2}. Use {{{{timenow}}}}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>, and entries older than {v0} s are rejected</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>Without a timestamp a late alert is taken for a new one: add "timestamp": "{{timenow}}".</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>A quotation mark or a backslash in an order's name or comment in the script breaks the message.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>{v0} stands without quotes: where TradingView puts text or NaN there, the message is no JSON any more and is refused. Quote it; numbers may be quoted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>The script writes this message itself: check here what it gives as alert_message.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>The IP allowlist leaves out TradingView's {v0}: add tradingview to it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView gives up after {v0} s and does not try again; the last check took {v1} s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView sends over IPv4 only; the address is one of IPv6.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/composer_traps.py" />
            <source>TradingView sends to the ports 80 and 443 only; the address has port {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>the {v0} world</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>Nothing new is begun there.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>Signals that wait in the {v0} world: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>world {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>promoting failed: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>The position is on hold: nothing is added to it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>group {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>its report could not be taken in: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>{v0}: an internal error was contained: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/decide.py" />
            <source>an internal error; the log has the details</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be a finite number</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be true or false</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>must be a whole number</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be one of {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be at most {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be below {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be at least {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be above {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <location filename="../src/execution_engine/domain/typed.py" />
            <source>is missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be an object of names and values</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be a list</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must have at most {v0} entries</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>may have letters, digits, spaces and . _ - only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must have at most {v0} characters</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>there is no such setting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>there is no such setting; is {v0} meant?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>is {v0}, written by a newer version of this application; this one reads up to {v1}: update it, or restore an older version of the settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be a whole number from 1 to {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>must be an object with sections, as {"pool": {…}}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>Unterminated string</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>is not valid JSON: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>ends too early, in line {v0}: the rest of it is missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/document.py" />
            <source>is empty</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/draft.py" />
            <source>the rules of {v0} {v1} are not known</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/draft.py" />
            <source>there is no {v0} {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>the grid needs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>the grid and the group's later pyramids need</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>{v0} {v1} {v2}, the account “{v3}” has {v4} {v5} free; lower the capital or add funds</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>{v0} entries were placed today (UTC), the limit of signals.max_entries_per_day</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>the market at {v0} is {v1} % worse than the base price; grid.max_slippage_percent allows {v2} %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>the alert's price {v0} is {v1} % away from the market at {v2}; the limit is {v3} %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>the position is on hold: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>{v0} {v1} is open {v2}; in one-way mode the account cannot hold both</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>capital_usd {v0} is above the limit of {v1} USD for one group</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>there is no grid profile “{v0}”; there are: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>{v0} is not among the symbols that may be traded (signals.symbols)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <source>a spot account cannot be short</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/entry.py" />
            <location filename="../src/execution_engine/domain/routing.py" />
            <source>account “{v0}” is disabled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/grid.py" />
            <source>leg {v0} of {v1}: {v2} × leverage would be liquidated near {v3}, before this leg at {v4}; lower the leverage</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/grid.py" />
            <source>notional {v0} {v1} is above capital.max_order_usd ({v2}); lower the capital or the weight</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/grid.py" />
            <source>notional {v0} {v1} is below the minimum of {v2} {v3}; raise the capital or the weight</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/grid.py" />
            <source>quantity {v0} {v1} is below the minimum of {v2} {v3}; raise the capital or the weight</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/grid.py" />
            <source>its price would be 0; bring its gap nearer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/grid.py" />
            <source>leg {v0} of {v1}: {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/hints.py" />
            <source>{v0}: the first alert with timeframe 1 from webhook “{v1}”. {{{{interval}}}} is always 1 in price alerts; write the timeframe out in the message if the chart shows another one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>outside {v0}·{v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>It fits again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>It was booked as it was traded, and the orders of its groups were cancelled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>The exchange closed {v0} {v1} on {v2} by force.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>The exchange had closed it by force.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>liquidated by the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>These positions are on hold: nothing is added to them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>Somebody else traded {v0}, at {v1} on average.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>What is more was not opened here and is left alone.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/holdings.py" />
            <source>{v0} holds {v1} {v2}; its groups add up to {v3}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/inputs.py" />
            <location filename="../src/execution_engine/domain/promotion.py" />
            <location filename="../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>no market price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>Alert {v0} ({v1} {v2}) was replayed by hand.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>there is no alert {v0} among the kept ones</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>A request was answered {v0}: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>no or wrong secret</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>reversal by alert {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>a reversal came for its key</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>all {v0} pyramids are there; replacement {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>its key is closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>alert {v0} came before it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>exit alert {v0} came before it was decided</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>nothing is open or queued for this key</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>the waiting signal was removed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>exit alert {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>an exit came for its key</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>opposite side is open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>the alert contradicts itself: its parts name {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/intake.py" />
            <source>An alert came with the id of alert {v0} but another body. It was taken for a copy; give every alert an id of its own, with {{{{timenow}}}} in it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/keys.py" />
            <source>The account's mode on the exchange is not the one that its settings ask for.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/keys.py" />
            <source>These keys may withdraw or transfer: make keys that may only read and trade.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/keys.py" />
            <source>These keys may not trade: give them that right on the exchange.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/keys.py" />
            <source>These keys cannot read the account's balance.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/keys.py" />
            <source>The exchange could not be asked about these keys.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/listings.py" />
            <source>It is traded again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/listings.py" />
            <source>Nothing is added to these positions. They are looked after again as soon as it is traded.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/listings.py" />
            <source>{v0} is not traded on {v1} any more, or not now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/listings.py" />
            <source>Nothing is held there any more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/listings.py" />
            <source>{v0} is not traded on {v1} any more, or not now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/market.py" />
            <source>waited {v0} s, longer than pool.max_queue_age_s</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/market.py" />
            <source>nothing filled within {v0} h</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/market.py" />
            <source>its common target was reached at {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/market.py" />
            <source>{v0}: target of {v1} reached at {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>{v0}, which ended {v1}: {v2}; you are {v3}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>{v0}, which is not carried out yet; you are {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>{v0}: the strategy is {v1} since alert {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>No earlier one is known.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>The last one to come was alert {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>{v0}: the strategy was {v1} before alert {v2}, you are {v3}: {v4} never came.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>the reversal to {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>the {v0} entry</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>the exit of the {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>There is nothing left to make up for.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>Nothing is sent by itself.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>{v0}: the strategy was {v1} before alert {v2}, you are flat; no alert is missing.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>A later alert tells of another gap.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>The strategy is where you are again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>The strategy has left that position since.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>The position is gone.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/missed.py" />
            <source>The alert came after all: alert {id}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/netting.py" />
            <source>{v0} {v1} and {v2} {v3} on {v4} have closed {v5} of each other; it is booked at {v6}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/netting.py" />
            <source>closed by the opposite position of the same market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>{v0}: {v1} USD realized in 24 h ({v2}{v3}), {v4}, {v5}{v6} unrealized.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>{v0} open {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: summary of {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>No problems.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>… and {v0} more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>Needs attention: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>Nothing waits in the queue.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>Queue: {v0} waiting.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: left out</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>{v0} {v1} left out since {v2}: {v3}. Logs has all of them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>notifications were</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>notification was</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>{v0} other kinds</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: act now</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: error</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <source>Execution Engine: warning</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify.py" />
            <location filename="../src/execution_engine/adapters/autostart.py" />
            <location filename="../src/execution_engine/adapters/notify/services.py" />
            <source>Execution Engine</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Any address of apprise: Slack, Pushover, ntfy, Gotify, Matrix, Signal and some hundred more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>It is sent a JSON object with title, message and type.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Many providers want an app password here. Port 465 is TLS from the start, others begin it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>as the user</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>Channel settings, Integrations, Webhooks, Copy webhook URL.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/notify_kinds.py" />
            <source>@BotFather makes a bot and gives its token; write to the bot once, and @userinfobot tells your id.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/order.py" />
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>at market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/order.py" />
            <source>revoked before it was sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/order.py" />
            <source>the exchange had this order and does not know it any more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/order.py" />
            <source>the exchange does not show this order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/order.py" />
            <source>looked for, not found yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/order.py" />
            <source>was never placed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/order.py" />
            <source>fills are still to come</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/order.py" />
            <source>order {v0}: {v1} may not become {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/origin.py" />
            <source>exchange key check</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/origin.py" />
            <source>command line</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/overdue.py" />
            <source>{v0} {v1} on {v2} still holds {v3} after {v4} s{v5}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/plan.py" />
            <source>everything that filled was sold at its target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/plan.py" />
            <source>what was left was sold to pay for a loser</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/plan.py" />
            <source>{v0} is planned anew by the market's new rules: {v1} at {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/plan.py" />
            <source>{v0} is left out. {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/plan.py" />
            <source>By the market's new rules, its {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>its price or balance was not known</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>the account “{v0}” is on hold: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>the {v0} world is on hold: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>{v0}pool {v1} / {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>forced into the pool;</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>{v0} {v1} on {v2}: {v3} legs from {v4}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>a newer signal of its key was opened</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>others wait for the free slot</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/pool.py" />
            <source>the pool is full</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>the balance of “{v0}” is not known yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>{v0} is open {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>{v0} is still closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>account “{v0}” is not ready</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>nothing new is begun: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>the engine is paused; resume it first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>the price ran {v0} % away on the gain side</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>{v0} {v1} was promoted, {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/promotion.py" />
            <source>by you, past the limit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/queue.py" />
            <source>dropped from the full queue by a newer signal</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/queue.py" />
            <source>the pool and the queue are full ({v0} signals wait)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/queue.py" />
            <source>by alert {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>came first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>came later</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>enters at the market</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>replaced {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>{v0} times</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>continues its open group, needs no slot</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>passed over while its position is on hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>passed over while its key is open on the other side</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/ranking.py" />
            <source>passed over while its key is closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/read_only.py" />
            <source>Read only: nothing can be changed by hand. Switch it off in Settings, Security, first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>They are left alone.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>{v0} order{v1} of others rest on {v2}: {v3}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>They are gone.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>it rests no more; how it ended is being looked up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>Account {v0} cannot be read: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>The exchange answers again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>Cannot connect to the exchange. Retrying… Entries wait; what closes is tried first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Approaching the exchange's rate limits. Slowing down.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>Trading is suspended{v0}: {v1}. It goes on once the exchange was read again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>{v0}; reading the exchange again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/readiness.py" />
            <source>the program was restarted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/recovery.py" />
            <source>Trading by these books was allowed by hand.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/recovery.py" />
            <source>The books of another computer were opened.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/recovery.py" />
            <source>These books were last used on another computer. If the application still runs there, end it there first: two of them would undo each other's work. No order is sent or cancelled here until you resume.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/recovery.py" />
            <source>no order is sent before that, because newer books may be elsewhere</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>not sent: insufficient funds</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>{v0}: the outcome is being looked up. Nothing is sent again until it is settled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>{v0}: its cancel was not carried out{v1}. It goes out again in {v2} s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>{v0} was refused: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>An order of this installation is on {v0} and not in its books: {v1} {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>It could add risk and is being cancelled.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>It is left alone until you resume: the other computer may look after it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>It could add risk and was cancelled.{v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>It had filled {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>It can only close a position and is left alone.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>Taken in, once each.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>What it holds is closed at market.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>{v0}: {v1} filled or was found after its group had ended.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>It is taken for over; what it had filled is booked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>{v0}: the exchange had the {v1} {v2} and does not know it any more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>Nothing here rests on it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/reports.py" />
            <source>An order of this installation traded on {v0} and is not in its books: {v1} {v2} {v3} at {v4}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_candidate.py" />
            <source>its account is not known</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_hindsight.py" />
            <source>by now that is the same</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_hindsight.py" />
            <source>by now that would have {v0} {v1} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_hindsight.py" />
            <source>{v0}; what that would have meant is not known: a price is missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_hindsight.py" />
            <source>It would have closed {v0} at {v1} USD with {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>a close of it was refused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>it is on hold: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>it was closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>it has nothing to give any more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>the loser was closed by something else first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>its order never reached the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>its first order never reached the exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>its group has moved to history</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>, the loser lost {v0} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>winners gave {v0} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>Offset of {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>{v0} USD are left</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>{v0} USD were not made up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>its loss was paid for by winners</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>{v0} USD are missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>it is not needed any more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>the loser is on hold: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>the loser was blocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>{v0}; a fill came after its end</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>the program was restarted before anything was sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_offset.py" />
            <source>Offset planned: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_plan.py" />
            <source>{v0}; nothing happens</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_plan.py" />
            <source>{v0}; a part of it is closed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_plan.py" />
            <source>; the winners can give {v0} USD; {v1} USD are missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_plan.py" />
            <source>{v0} winners give {v1} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_plan.py" />
            <source>1 winner gives {v0} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_plan.py" />
            <source>{v0} needs {v1} USD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_plan.py" />
            <source>no group can be the loser</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_plan.py" />
            <source>the groups that could be the loser are skipped once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>not skipped</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>skipped the next time</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Is not skipped once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>not blocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Is not blocked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>below the exchange's minimum, or without a price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>all of it can be sold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Is large enough to be sold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Is old enough</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Has lost enough</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Its timer has expired</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Has all its pyramids</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>No entry leg is working</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>a close would get {v0} {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Has a fresh price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>nothing holds it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Is not on hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Is not closing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>Has a position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>{v0} min old; asked are more than {v1} min</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>runs until</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>not started; it starts when {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>all legs were submitted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>{v0} of {v1} pyramids</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>no entry leg is working</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>holds {v0} {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>{v0} % now; asked is {v1} % or less</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>no result without a position and a fresh price</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_rules.py" />
            <source>not asked by the settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>{v0} {v1} was skipped once by the risk engine.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>{v0}; a rehearsal, nothing was sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>the world is on hold: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>an offset is under way already</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>the engine is paused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>the risk engine is switched off (risk.enabled)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_run.py" />
            <source>The risk engine was run by hand. {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_words.py" />
            <source>together {v0} USD, closing fees of {v1} USD included</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_words.py" />
            <source>{v0} {v1} on {v2}: close {v3} at {v4}, {v5} USD; {v6} stay open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/risk_words.py" />
            <source>; only rehearsed, nothing is sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/routing.py" />
            <source>no enabled account trades {v0} {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/routing.py" />
            <source>account “{v0}” ({v1}) does not trade {v2} {v3}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/routing.py" />
            <source>account “{v0}” does not exist or this webhook may not use it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>must be {v0} {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>at least</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>up to</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>yes or no</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/schema.py" />
            <source>whole number</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Places outside that are told, by name; their addresses are secret.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Send it the daily summary.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Kinds it is never told; none: as for all.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Kinds it is told besides; none: as for all.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Least level that it is told; none: as for all.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Tell it anything at all.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Symbols and timeframes with a profile of their own.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Named grids.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>The grid profile that these symbols use.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Pattern of timeframes, as 15m.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Pattern of symbols, as BTC*; optionally BINANCE:BTC*.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>weights add up to {v0} %; {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>{v0} % are too much</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>{v0} % are missing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>gap of leg {v0} must be below {v1} %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>gap of leg {v0} must be 0 or below</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>gap of leg {v0} must be above −100 %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>a grid has 1 to 50 legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Profit at which the leg closes.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Share of the group's capital.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settings.py" />
            <source>Distance from the base price; negative is below it for a long.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>{v0}: an order filled or was found after the group had ended; what it holds is closed at market.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>an order filled or was found after the group had ended</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>its group was closed first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>nothing had filled; its orders were cancelled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>pyramid {v0} of {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>cancelled before it was sent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>its group was closed before it was placed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>the exchange took no leg</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>no leg was placed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/settle.py" />
            <source>its entries were cancelled before anything filled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>{v0} free, but nothing that waits can go now: each row says why.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>{v0} slots are</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>A slot is</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>{v0}: the first goes as soon as one is free{v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>; the risk engine rehearses and frees none</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>All {v0} slots are used</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>its account {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>{v0} {v1}{v2}. Its signals wait.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>its balance is not known</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>The balance of {v0} is not known yet. Its signals wait.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>The day's limit of {v0} is reached: nothing is promoted or forced before 00:00 UTC.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>On hold, nothing is promoted or forced: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>Paused: nothing is promoted or forced until you resume.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>is being read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/standstill.py" />
            <source>is disabled</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/symbols.py" />
            <source>unknown symbol {v0} on {v1}{v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/symbols.py" />
            <source>unknown exchange {v0}; there are: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/symbols.py" />
            <source>{v0} is not of the exchange {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/templates.py" />
            <source>Many positions and pyramids, entries at market, signals may turn a position round; losers are given more room. Far more can be at stake than the capital.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/templates.py" />
            <source>The values this application starts with: ten positions, each pyramid with capital of its own.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/templates.py" />
            <source>Few positions, one capital shared by all pyramids, never more at stake than the capital; a loser is cut early.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>There is no webhook “{v0}”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>{v0} {v1} only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>A token has at least {v0} letters and digits, made by chance.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>There is a webhook “{v0}” already.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>A webhook's name has up to 32 letters, digits, spaces, “.”, “-” and “_”, and begins with a letter or a digit.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} may use {v1} now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} is called {v1} now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} was revoked; what is sent to it is refused.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} has a new token; the old one {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>is wrong from now on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>counts until {v0} UTC</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>The old token may count for 0 seconds to {v0} days more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>Webhook {v0} was added; it may use {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/token_commands.py" />
            <source>There are {v0} webhooks already; revoke one first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/typed.py" />
            <source>must be written with all its digits, without an exponent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/typed.py" />
            <source>write thousands without marks: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/typed.py" />
            <source>“{v0}” can be read as {v1}{v2} and as {v3}.{v4}: write it one of these ways</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/updates.py" />
            <source>The release document names {v0}; {v1} runs here. Older ones are not offered.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/updates.py" />
            <source>The release document names {v0}, but {v1} was seen before. Somebody shows an old one, or that version was taken back; nothing is offered.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/updates.py" />
            <source>The release document is not understood: {v0}: {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/updates.py" />
            <source>the document</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/versions.py" />
            <source>Version {v0} cannot be read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/versions.py" />
            <source>There is no version {v0} of the settings; there are 0 to {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/versions.py" />
            <source>this version cannot be read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/versions.py" />
            <location filename="../src/execution_engine/core.py" />
            <source>the defaults</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/way_in.py" />
            <source>It was not checked yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/way_in.py" />
            <source>There is no public address: TradingView cannot reach this machine.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/domain/way_in.py" />
            <source>No tunnel is wanted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/lanes.py" />
            <source>lane {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/looks.py" />
            <source>the call broke off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/looks.py" />
            <source>look {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/pulse.py" />
            <source>the clock was set back by {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/pulse.py" />
            <source>the machine slept, or its clock was set forward, by {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/pulse.py" />
            <source>the program stood still for {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/quotes.py" />
            <source>prices for the {v0} queue</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/running.py" />
            <source>{v0}: slowed down by the exchange's rate limits</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/running.py" />
            <source>{v0}: the exchange does not answer{v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/running.py" />
            <source>; tried again at {v0} UTC</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/running.py" />
            <source>the task “{v0}” failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/running.py" />
            <location filename="../src/execution_engine/core.py" />
            <source>reconcile {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/state.py" />
            <source>`decide {v0} {v1}`</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/state.py" />
            <source>{v0} Decide with {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/state.py" />
            <source>no fresh price of {v0}{v1} for {v2} s; nothing is opened there</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/state.py" />
            <source>and {v0} more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/engine/state.py" />
            <source>paused by you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/autostart.py" />
            <source>{v0} cannot be {v1} when you log in ({v2}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/autostart.py" />
            <source>kept from starting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/autostart.py" />
            <source>set to start</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/autostart.py" />
            <source>[Desktop Entry]
Type=Application
Name={v0}
Exec={v1}
Icon={v2}
Terminal=false
X-GNOME-Autostart-enabled=true</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>The account's mode on OKX is `spot`: perpetuals need one of the futures modes.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>This is no unified trading account; change it on Bybit first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>The account is in {v0} mode on {v1}, but the settings ask for {v2} mode.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>These keys are not of this mode: were they made for another one ({})?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_check.py" />
            <source>This is a unified trading account, which this application does not trade on KuCoin yet: make the keys for a classic account.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>{v0} has no {v1} mode for {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>USDT perpetuals</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>{v0}: the mark of simulated trading does not fit this account</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>{v0}: {v1} is not of this account's environment</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>the key of the stream ran out</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>{v0} asked to be left alone until {v1} UTC.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_client.py" />
            <source>what a call heard</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>{v0} has no market {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The request broke off.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <location filename="../src/execution_engine/adapters/exchanges/paper_answers.py" />
            <source>There is no such order.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>Its trades are there, the order is not.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The look-up broke off.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The cancel was acknowledged and is not to be seen yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The exchange's answer to the cancel is none.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The exchange's answer does not name this order.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_exchange.py" />
            <source>The keys of this account are not available: unlock the vault.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_find.py" />
            <source>{v0} sent something that is no order.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>OKX sent a balance without an account.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>Bybit sent a balance without an account.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent something that is no balance.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>KuCoin's list has no end.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>Binance's list has no end.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>OKX's list has no end.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>Bybit's list has no end.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>Binance sent an answer without a list.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent an answer without a list.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent an answer without {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent something that is no answer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_lists.py" />
            <source>{v0} sent something that is no answer (HTTP {v1}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_live.py" />
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_prices.py" />
            <source>unknown symbol</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_markets.py" />
            <source>The markets of {v0} could not be read ({v1}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_markets.py" />
            <source>{v0}: {v1} is not of this environment</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_markets.py" />
            <source>there are none</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_markets.py" />
            <source>{v0} has no {v1} mode for {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>OKX does not tell leverage and modes.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>Bybit does not tell leverage and modes that this application knows.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>Binance does not tell leverage and modes.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>{v0} has {v1} on {v2}, but the settings ask for {v3}; nothing new is opened there.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>leverage {v0}, {v1} margin and the {v2} position mode</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>{v0} takes whole leverages only, not {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>the {v0} position mode</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>{v0} margin</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/ccxt_terms.py" />
            <source>leverage {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/feeds.py" />
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The price must be above zero.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/feeds.py" />
            <source>The price has more than {v0} digits.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/feeds.py" />
            <source>The price must be a number above zero, such as 64000.5.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/feeds.py" />
            <source>No exchange has a market {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>a spot market has a contract size and a leverage of 1.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`market_max_qty` is below the least quantity.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`max_qty` is below `min_qty`.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`min_qty` is no multiple of `step`.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>a perpetual's symbol ends in `.P`, a spot symbol does not.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` must not be below zero.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` must be above zero.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` must be a number, written as text.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`source` must be {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`market` must be spot or swap.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` must be a word.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` is not a field.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`{v0}` is missing.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>{v0}: it is there twice.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>Entry {v0} is not an object.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`instruments` is empty.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>`date` must be a day, written as 2026-01-31.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>It must be an object with a list `instruments`.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>It is not valid JSON: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>It can't be read: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/instruments.py" />
            <source>{v0} can't be used. {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper.py" />
            <location filename="../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>There is no account {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper.py" />
            <source>The paper exchange failed on this request; the log has the details.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>There are {v0} open orders in this market, more are not allowed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The order's value {v0} is below the minimum of {v1} {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>There is no position that this reduce-only order could close.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>There are no reduce-only orders on spot.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The price {v0} is no multiple of the tick {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The price is higher than any market's.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity {v0} is above the maximum of {v1} {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity {v0} is below the minimum of {v1} {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity {v0} is no multiple of the step {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity is larger than any market.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_checks.py" />
            <source>The quantity must be above zero.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>The paper exchange's file {v0} can't {v1}: {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>it was written by a newer version of the application</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>be written</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>be read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>The paper exchange is closed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>paper store</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_store.py" />
            <source>be opened</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>The order needs {v0} {v1}, {v2} is free.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>{v0} has no {v1} market {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/paper_venue.py" />
            <source>The client order id {v0} was used before.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/synthetic.py" />
            <source>synthetic prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>the price {v0} is no multiple of {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>the quantity {v0} is no multiple of {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>The rules of this market are read again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>It took them before: they were revoked, have expired, lost a right, or are bound to another address.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>The account's position mode on the exchange is another one than the settings ask for.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>The exchange takes only orders that close a position, in this market or from this account.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>The exchange does not trade this market any more, or not now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>An unknown exchange error occurred. The full answer is in the log.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Cannot connect to the exchange. Retrying…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Order validation failed (size or price). See the log for details.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Insufficient funds on the exchange to place the order.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/exchanges/translate.py" />
            <source>Invalid API credentials. Please check your keys in Settings.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/log_files.py" />
            <source>The log cannot be written: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/notify/courier.py" />
            <source>no answer within {v0} s</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/notify/courier.py" />
            <source>tell {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/notify/courier.py" />
            <source>there is no room for more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/notify/services.py" />
            <source>the service did not take it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/notify/services.py" />
            <source>“{v0}” speaks to this machine only; notices of the desktop have a switch of their own.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/notify/services.py" />
            <source>This is no address that is understood. Examples: tgram://token/chat, discord://id/token, mailto://user:password@example.com, jsons://example.com/path.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/paths.py" />
            <source>The data folder {v0} cannot be used ({v1}). Make it writable, or choose another one with --data-dir.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/folder_lock.py" />
            <source>The data folder {v0} cannot be locked ({v1}). Choose one on a local disk that you may write to.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/folder_lock.py" />
            <source>Execution Engine is running already with the data folder {v0}. Use its window, end it first, or choose another folder with --data-dir.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/os_keyring.py" />
            <source>The system's keyring failed ({v0}). Try again, or choose a master password instead.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/os_keyring.py" />
            <source>The system's keyring is locked. Unlock it and try again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/os_keyring.py" />
            <source>This system has no keyring that this program could use. Choose a master password instead.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/os_keyring.py" />
            <source>This system has no keyring that this program could use. Choose a master password instead (--password-file, or EXECUTION_ENGINE_PASSWORD).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/os_keyring.py" />
            <source>The system's keyring did not answer within {v0} s; perhaps it waits for its password in a window of its own. Answer there and try again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/os_keyring.py" />
            <source>The system's keyring did not keep what it was given. Choose a master password instead.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/password.py" />
            <source>This master password is among the first that are tried: it would hold for {v0}. Several words that have nothing to do with one another are better.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/password.py" />
            <source>A master password is more than a few characters again and again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/password.py" />
            <source>A master password has at least {v0} characters.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/password.py" />
            <source>a password to measure with</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/password.py" />
            <source>Opening the vault takes {v0} MiB of memory for half a second, which are not free. End other programs and try again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/pasted.py" />
            <source>The {v0} holds unusual characters; copy it once more, or choose plain ones.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/pasted.py" />
            <source>The {v0} is too long: it has {v1} characters.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/pasted.py" />
            <source>The {v0} is too short: it has {v1} characters, at least {v2} are needed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/pasted.py" />
            <location filename="../src/execution_engine/adapters/webhook/authentication.py" />
            <source>The {v0} is missing.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/pasted.py" />
            <source>Spaces and line breaks around or in the {v0} were taken out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/patience.py" />
            <source>{v0} wrong master passwords were given; try again in {v1} s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/strength.py" />
            <source>about {v0} {v1}{v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/strength.py" />
            <source>no time at all</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/strength.py" />
            <source>guessed at once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>The vault is locked; open it first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>vault {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>A vault needs a master password, or a place in the system's keyring.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>There is a vault already; open it instead.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>The master password is wrong.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>This vault has no master password; its keyring opens it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>is damaged (kept as {v0})</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>is gone</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>The system's keyring does not hold the key of this vault: another user or another machine made it. Forget all keys and enter them again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>{v0} The master password opens it, too.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>The vault is locked; its master password opens it (--password-file, or EXECUTION_ENGINE_PASSWORD).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>was changed by something else</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault.py" />
            <source>There is no vault yet; it is made with the first keys.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>The vault's file {v0} cannot be read or written in {v1} ({v2}). Nothing was changed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>The vault's file {v0}. Forget all keys and enter them again; nothing else is lost.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>makes no sense</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>is damaged</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>The vault was written by a newer version of this program. Install that version to open it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>is not a vault</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>The key in the system's keyring does not belong to this vault. Forget all keys and enter them again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/security/vault_file.py" />
            <source>The master password is wrong; the vault stays locked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/audit_head.py" />
            <source>Audit entry {v0} is not the one that was written: the log was written anew since.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/audit_head.py" />
            <source>The audit log ends before entry {v0}, which was written on {v1} UTC: its end was cut off, or an older copy of the database was put in place.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>The copy {v0} could not be written ({v1}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} Copying it to {v1} failed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} is damaged ({v1}); no copy of it was kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>The copy {v0} was broken off: the program ends.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} was written by a newer version. Install that version to restore it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} is not a backup of this application.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} is the database itself. Choose a backup.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>There is no backup {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <location filename="../src/execution_engine/adapters/storage/passage.py" />
            <source>{v0} could not be put in place of {v1} ({v2}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>The backup folder {v0} cannot be made ({v1}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} exists and is not a backup. Choose another name.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/backup.py" />
            <source>{v0} is the database itself. Choose another name for the backup.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/check.py" />
            <source>{v0} was damaged and set aside as {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/check.py" />
            <source>There is no backup to restore; to begin anew without it, move that file to another folder.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/check.py" />
            <source>Restore a backup: the newest is {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/check.py" />
            <source>{v0} is damaged ({v1}) and was set aside as {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/check.py" />
            <source>the file is empty</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/check.py" />
            <source>The disk is full: {v0} has {v1} MiB left for {v2}. Free at least {v3} MiB and start again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/check.py" />
            <source>{v0} cannot be used in {v1} ({v2}). Make that folder writable, or choose another one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/check.py" />
            <source>its schema cannot be read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/export.py" />
            <source>{v0} could not be written ({v1}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/export.py" />
            <source>{v0} ends neither in .csv nor in .json; one of them says how to write it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>A change could not be stored in {v0} ({v1}: {v2}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} is not a database. Start again to choose a backup.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} is damaged. Start again to choose a backup.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} cannot be opened. Check that the folder {folder} exists and is writable.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>The disk reported an error while {file} was used. Check the disk and its free space before starting again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} is locked by another program. Close what has it open (a database viewer, a backup or virus scanner) and start again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} may not be opened. Make the file and its folder {folder} writable.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>{file} is read-only. Make the file and its folder {folder} writable.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/failures.py" />
            <source>The disk is full, so {file} could not be written. Free some space and start again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/loading.py" />
            <source>a row of {v0} makes no sense ({v1})</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/loading.py" />
            <source>{v0} is damaged: {v1}. Restore a backup; nothing was changed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/migrate.py" />
            <source>{v0} has rows without their group; it was not changed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/migrate.py" />
            <source>{v0} was written by a newer version of this application (schema {v1}). Install that version again, or restore a backup from before it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/migrate.py" />
            <source>{v0} is not a database of this application. Move it away and start again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/passage.py" />
            <source>{v0} has positions open, of which the data from before that update knows nothing. Install {v1} again and close them; or, to go back all the same, restore {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/passage.py" />
            <source>the newer version</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/passage.py" />
            <source>version {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/passage.py" />
            <source>The data could not be copied before the first start of version {v0} ({v1}). Make room on the disk and start again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/passage.py" />
            <source>{v0} cannot be written to ({v1}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/passage.py" />
            <source>The data of version {v0} cannot be read by this one, so the state of before that update is back. What was done since then is in {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/passage.py" />
            <source>a newer one</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/store.py" />
            <source>answers to committed writes failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/store.py" />
            <source>{v0} is closed; nothing more is stored.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0} is {v1}, but {v2} make {v3}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>its closing orders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: proceeds of its legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: quantity closed by its legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>its legs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: realized result</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: open quantity</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: filled quantity</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>its entries</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: entry fees</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: filled cost</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>Leg {v0} of group {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>its fills</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>{v0}: fees</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>Order {v0} of group {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>Row {v0} of {v1} refers to a row of {v2} that is not there.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/verify.py" />
            <source>The file is damaged: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>{v0} on a network drive ({v1}), where locks and flushes are not what they promise: that damages a database. Choose a folder on a disk of this computer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>{v0} in a folder that {v1} keeps in step with other computers ({v2}): that damages a database. Choose a folder outside of it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>a cloud drive</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>iCloud Drive</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/storage/whereabouts.py" />
            <source>Google Drive</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>Libraries of the system are missing: {v0}; {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>on Debian and Ubuntu “sudo apt install {v0}” brings what is needed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>DISPLAY is {v0}, and no display answers there.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>WAYLAND_DISPLAY is {v0}, and no display answers at {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>no answer in time</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>the name is not known here</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>the certificate is not to be trusted: somebody stands in between, or the clock is far off</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>status {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/surroundings.py" />
            <source>asks {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>its web page</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>HTTPS certificates are not switched on for this tailnet; do so at {address}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Something else uses this machine's funnel; end it with “tailscale funnel reset”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>The Tailscale service does not run; start it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Tailscale lets only its operator do this; run “sudo tailscale set --operator=$USER”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Funnel is not switched on for this machine; do so at {address}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Tailscale is not signed in; run “tailscale up”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>ngrok cannot be reached; is this machine online?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>This ngrok is too old; run “ngrok update”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>This host name does not belong to the ngrok account; choose one of its domains.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>This ngrok address is in use by another agent; end that one first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>ngrok runs elsewhere already: an account without a plan may run it once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>ngrok needs an account. Get its token at dashboard.ngrok.com and run “ngrok config add-authtoken TOKEN”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>cloudflared does not get through to Cloudflare; a firewall may block it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>cloudflared knows no such tunnel here. Run “cloudflared tunnel login” and create it, or leave tunnel.name empty for a quick tunnel.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Cloudflare cannot be reached; is this machine online?</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/complaints.py" />
            <source>Cloudflare gives no new quick tunnel now: too many were asked for.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>{v0}: run “{v1}”, or see {v2}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>free account; one fixed address</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>no account; the address is another one after each start, unless you have a domain at Cloudflare</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>sudo snap install ngrok</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>winget install Tailscale.Tailscale</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>winget install Ngrok.Ngrok</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>winget install Cloudflare.cloudflared</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>brew install --cask tailscale</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>brew install ngrok</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/finding.py" />
            <source>brew install cloudflared</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/names.py" />
            <source>a name is looked up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/names.py" />
            <source>no name that could be looked up</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/process.py" />
            <source>tunnel output</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>No usable answer came: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>No connection can be made: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>Its name is not known (yet), or this machine is not online.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>Its certificate is not valid for this address; TradingView would refuse it as well.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>No answer came within {v0} s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>Something else answers at this address (status {v0}), not this program's listener.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>The tunnel or proxy answers {v0}: it does not get through to the listener.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>The address answers with a redirect ({v0}); TradingView must get there at once.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>Reached from outside in {v0} ms.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/reach.py" />
            <source>The answer took {v0} s; TradingView gives up after {v1} s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} leads {v1} to the listener.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} ended with status {v1}: {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>it said nothing</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} told no address within {v1} s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} cannot be started: {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} is being started.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} is {v1}installed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>None of</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/tunnel/tunnel.py" />
            <source>{v0} It is started again in {v1} s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases leads to a place that is not protected (https).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases sent more than a release document can be.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases leads from one place to the next without an end.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases cannot be reached ({v0}).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases did not answer in time.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/fetch.py" />
            <source>The server of releases answered {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/signature.py" />
            <source>The release document has no signature that could be read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/signature.py" />
            <source>The release document was changed after it was signed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/signature.py" />
            <source>The release document is signed with a key that this program does not know.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/updates/signature.py" />
            <source>trusted comment:</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>the desk had no answer to an alert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>More than {v0} alerts came within a minute.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>(not kept: {v0} bytes)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>It was sent to “{v0}”, which is not the public address. If that is a name of yours, add it to “Further names” in Settings, Webhook &amp; tunnel.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>Too many wrong secrets came to the webhook, the last from {v0}; they are slowed down.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>Too many wrong secrets came from this address.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>It claims to be a check of this program's own.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>Its address is not on the list of allowed ones.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/alerts.py" />
            <source>It was sent by a web page in a browser.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/authentication.py" />
            <source>The {v0} is wrong.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/authentication.py" />
            <source>A {v0} is required, but none is set in the settings.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/authentication.py" />
            <source>Neither token nor body secret nor signature is right.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/authentication.py" />
            <source>The path carries no token that is valid now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/connections.py" />
            <source>the connection is of no use any more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/connections.py" />
            <source>A connection was ended: %r</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/listener.py" />
            <source>It is not possible to listen on {v0}, port {v1}: {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/listener.py" />
            <source>This machine has no address “{v0}”. Choose 127.0.0.1: for one run with --host, for good with “execution-engine settings set webhook.host 127.0.0.1”.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/listener.py" />
            <source>The system does not let this user listen on port {v0}. Choose one above 1023: {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/listener.py" />
            <source>Port {v0} on {v1} is used by another program, perhaps by a second Execution Engine. End that program, or choose another port: {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/listener.py" />
            <source>for one run with --port, for good with “execution-engine settings set webhook.port 8788”</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/listener.py" />
            <source>/webhook, asked by itself</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/listener.py" />
            <source>(another path)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/local.py" />
            <source>must be a number above 0, as 64000.5</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/local.py" />
            <source>must be a symbol, as BTCUSDT</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/local.py" />
            <source>The practice prices are not set by hand now; choose the feed “manual” first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/probes.py" />
            <source>The vault is locked, so that the body secret cannot be compared; unlock it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/probes.py" />
            <source>The allowlist would refuse every alert: the header that names the sender is not believed. Add {v0} to webhook.trusted_proxies.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/probes.py" />
            <source>The allowlist leaves out addresses of TradingView; add “tradingview” to it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/probes.py" />
            <source>TradingView cannot sign its alerts, but webhook.signature_required is on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/reading.py" />
            <source>The body is larger than {v0} KiB.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/reading.py" />
            <source>Compressed bodies are not taken; send it as it is.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/adapters/webhook/refused.py" />
            <source>{v0} more of this kind came before it and are not listed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/accounts.py" />
            <source>{v0} keys have a passphrase; enter it, too.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/accounts.py" />
            <source>Keys are texts: api_key, api_secret and, where there is one, passphrase.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/accounts.py" />
            <source>The vault holds no keys of account {v0}; enter them again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/accounts.py" />
            <source>This version cannot reach {v0} yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/accounts.py" />
            <source>A running engine asks {v0} about keys; start it, and check them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/accounts.py" />
            <source>Account {v0} trades on paper and needs no keys.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/accounts.py" />
            <source>these keys</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>no market price: this run of the application reaches no exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>a live price on paper</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>an exchange</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>join {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>leave {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>choice of paper prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>The newest settings make no sense, so {v0} are used: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>those saved on {v0} UTC</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/core.py" />
            <source>There is no way to {} in this run of the application: account {} can neither be read nor traded.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/exchanges.py" />
            <source>live prices</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/exchanges.py" />
            <source>exchange of {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/exchanges.py" />
            <source>tell the markets of {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/exchanges.py" />
            <source>markets of {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/exchanges.py" />
            <source>The keys of account {v0} are in the locked vault: unlock it. {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/exchanges.py" />
            <source>It is being opened.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/exchanges.py" />
            <source>There are no keys of account {v0} here: enter them again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>set aside</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>before an update</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>before version {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>{v0} {v1} were written to {v2}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>entries of the audit log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>The backup {v0} was restored. {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>, whose audit log went on to entry {v0} ({v1}…).</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>The backup {v0} took the place of the database</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>end of the log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>The disk has {v0} MiB left: there is no room for another backup.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>The backups go to a network drive ({v0}): look there whether they arrive.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>The data lies</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>{v0} was restored.{v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>The database before it is kept as {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>A backup is being restored</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>The database is being checked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>A backup is being checked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>{v0} was made and checked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>A backup was made by hand: {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>No backup could be made: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>A backup is being made</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>chain of the log</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/keeping.py" />
            <source>No order is sent until you resume; look first at what the comparison with each exchange found.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <source>{v0} was written. Look into it before you give it away.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <source>task {v0} failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <source>paper exchange: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <source>keys and secrets: {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <location filename="../src/execution_engine/notifying.py" />
            <source>test {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <source>prices come from the {v0} feed; set paper.feed to manual first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <location filename="../src/execution_engine/observing.py" />
            <source>{v0} changes wait for the disk</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <source>The engine cannot run ({v0}); the log says more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/main.py" />
            <source>another database is being put in place</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>There is no target “{v0}”; there are: {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>{v0} took the test message.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>{v0} did not take the test: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>{v0} did not answer within {v1} s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>This is a test. What happens while you are away is told here.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>Execution Engine: test</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>{v0} is told nothing any more.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>target {v0} removed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>The address of target {v0} was removed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>{v0} is told from now on. Send it a test.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>target {v0} added</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>The address of target {v0} was set.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>notifications {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/notifying.py" />
            <source>its address is not known: the vault is locked, or does not hold it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>When it was started.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Background tasks at work.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Room on the disk.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Resident memory.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Errors in the log.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Times the loop stood still for 0.25 s.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Longest lag of the loop in a minute.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Age of the oldest price that matters.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Notifications that were not taken yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Decisions that are not durable yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Signals that wait.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Position groups in memory by world and status.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Accounts by status.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>1 while all is well.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>1 for the engine's word.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Time on the way of an alert, by stage.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Events by level since the start.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Orders that reached a status since the start.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>Alerts by outcome since the start.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>prices that matter are {v0} s old</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>{v0}: the exchange does not answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/observing.py" />
            <source>The program stood still for {v0} s; alerts and prices waited. The log says where.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The {v0} of the webhook was {v1}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The vault was deleted with every key in it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The vault is opened by {v0} from now on.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The present master password is needed for that.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The vault was locked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The vault was locked by you.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>A vault was made; {v0} opens it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The window was locked {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The window was unlocked {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>with the master password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>with the system's keyring</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The master password unlocks the window.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>without a password, because there is no vault</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>A wrong master password was given.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>The vault was opened with {v0}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/unlocking.py" />
            <source>its master password</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/updating.py" />
            <source>This program was built without a place where new versions are announced.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/way_in.py" />
            <source>The public address is {v0} now, not {v1}: put the new webhook URL into TradingView's alerts.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/way_in.py" />
            <source>Alerts can arrive again. {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/way_in.py" />
            <source>Alerts cannot arrive through {v0}: {v1}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/way_in.py" />
            <source>The tunnel is new and may not be known everywhere yet. {v0}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../src/execution_engine/way_in.py" />
            <source>way in</source>
            <translation type="unfinished" />
        </message>
    </context>
</TS>
