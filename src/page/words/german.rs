//! German, addressed politely.

use std::borrow::Cow::Borrowed as t;

use super::{english, texts::Words};

#[allow(
    clippy::needless_update,
    reason = "a new text reads English until it is translated; a test names it"
)]
pub(super) fn words() -> Words {
    Words {
        help: t("Stimmt etwas nicht?"),
        id: t("ID"),
        try_again: t("Noch einmal versuchen"),

        consent_title: t("Zugriff auf {service}"),
        consent_heading: t("Eine App bittet um Zugriff auf {service}"),
        app: t("App"),
        calls_itself: t("Sie nennt sich"),
        no_name: t("Sie nennt keinen Namen"),
        name_not_checked: t("{service} hat diesen Namen nicht geprüft."),
        name_of_operator: t("{service} hat diese App eingerichtet."),
        described_by: t("Beschrieben von"),
        goes_to: t("Der Zugriff geht an"),
        this_computer: t("dieser Computer"),
        this_computer_port: t("dieser Computer, Port {port}"),
        app_on_this_computer: t("eine App auf diesem Computer"),
        whole_address: t("Ganze Adresse anzeigen"),
        caution_local: t(
            "Jedes Programm auf diesem Computer kann sich so nennen. Fahren Sie nur fort, wenn Sie diese \
             Anmeldung gerade eben selbst begonnen haben.",
        ),
        caution_local_described: t(
            "Jedes Programm auf diesem Computer kann sich so nennen und diese Beschreibung zeigen. \
             Fahren Sie nur fort, wenn Sie diese Anmeldung gerade eben selbst begonnen haben.",
        ),
        caution_host: t(
            "Den Namen hat sich die App selbst gegeben; die Adresse, von der ihre Beschreibung kommt, \
             wurde geprüft. Fahren Sie nur fort, wenn Sie diese Adresse kennen und die Anmeldung selbst \
             begonnen haben.",
        ),
        caution_other_address: t(
            "Den Namen hat sich die App selbst gegeben; die Adresse, von der ihre Beschreibung kommt, \
             wurde geprüft, der Zugriff geht aber an eine andere. Fahren Sie nur fort, wenn Sie beide \
             kennen und die Anmeldung selbst begonnen haben.",
        ),
        caution_address: t(
            "Den Namen hat sich die App selbst gegeben. Fahren Sie nur fort, wenn Sie die Adresse oben \
             kennen und die Anmeldung selbst begonnen haben.",
        ),
        at: t("Bei"),
        it_may: t("Wenn Sie es erlauben, kann sie"),
        act_for_you: t("{service} in Ihrem Namen verwenden"),
        scope_names: t("Technische Namen anzeigen"),
        scopes: t("Berechtigungen (Scopes)"),
        scopes_of_service: t("Bei {service}"),
        scopes_of_person: t("Über Sie"),
        scope_openid: t("Sie wiedererkennen, wenn Sie zurückkommen"),
        scope_profile: t("Ihren Namen und Ihr Bild sehen"),
        scope_email: t("Ihre E-Mail-Adresse sehen"),
        scope_address: t("Ihre Postanschrift sehen"),
        scope_phone: t("Ihre Telefonnummer sehen"),
        scope_offline_access: t("verbunden bleiben, bis Sie das beenden"),
        allow: t("Erlauben und anmelden"),
        allow_with: t("Erlauben, dann mit {provider} anmelden"),
        deny: t("Ablehnen"),

        log_in_to: t("Anmelden bei {service}"),
        log_in_with: t("Anmelden mit"),
        choose: t("Wählen Sie, womit Sie sich anmelden möchten."),
        go_on: t("Weiter"),
        cancel: t("Abbrechen"),

        account_heading: t("Sie sind angemeldet"),
        account_name: t("Name"),
        account_address: t("Konto"),
        account_unconfirmed: t("(vom Kontoanbieter nicht bestätigt)"),
        account_unnamed: t("Der Kontoanbieter nennt keinen Namen"),
        account_text: t("Wenn Sie fortfahren, handelt die App bei {service} mit diesem Konto."),
        account_caution: t(
            "Ist das nicht Ihr Konto, oder haben Sie diese Anmeldung nicht begonnen? Dann fahren Sie \
             nicht fort: Was Sie in der App tun, würde im Konto einer anderen Person landen.",
        ),
        another_account: t("Anderes Konto verwenden"),
        account_log_out_first: t(
            "Um ein anderes Konto zu verwenden, melden Sie sich zuerst beim Kontoanbieter ab. Starten \
             Sie dann die Anmeldung in Ihrer App noch einmal.",
        ),

        for_apps_title: t("{service} ist für Apps"),
        for_apps_text: t(
            "Diese Adresse ist für Apps wie KI-Assistenten und Editoren (MCP-Clients). Im Browser gibt \
             es hier nichts zu sehen.",
        ),
        for_apps_address: t("Adresse"),
        for_apps_steps: t(
            "Fügen Sie diese Adresse in Ihrer App als MCP-Server hinzu. Die App öffnet dann Ihren \
             Browser, damit Sie sich anmelden können.",
        ),

        done_title: t("Sie sind angemeldet"),
        done_text: t("Gehen Sie zurück zu Ihrer App. Sie können diese Seite schließen."),
        cancelled_title: t("Die Anmeldung wurde abgebrochen"),
        cancelled_text: t("Die App hat keinen Zugriff erhalten. Sie können diese Seite schließen."),

        unreadable_request_title: t("Dieser Anmeldelink ist nicht lesbar"),
        unreadable_request: t(
            "Es wurde nichts geändert. Starten Sie die Anmeldung in Ihrer App noch einmal.",
        ),
        embedded_title: t("Eine Anmeldung braucht ihr eigenes Fenster"),
        embedded: t(
            "Eine andere Website hat diese Adresse in ihre Seite eingebettet. Es wurde nichts geändert. \
             Starten Sie die Anmeldung in Ihrer App.",
        ),
        unknown_client_title: t("Diese App ist hier nicht bekannt"),
        unknown_client: t(
            "Ihre Registrierung gilt bei diesem Server nicht. Entfernen Sie den Server aus Ihrer App und \
             fügen Sie ihn wieder hinzu, damit sich die App neu registriert.",
        ),
        denied_client_title: t("Diese App darf sich hier nicht anmelden"),
        denied_client: t(
            "Der Betreiber dieses Servers hat sie gesperrt. Es wurde nichts geändert.",
        ),
        no_document_title: t("Diese App kann gerade nicht geprüft werden"),
        no_document: t(
            "Sie gibt an, dass ihre Beschreibung an einer eigenen Adresse liegt, und diese Adresse \
             antwortet nicht. Es wurde nichts geändert. Versuchen Sie es gleich noch einmal.",
        ),
        bad_document_title: t("Diese App kann nicht geprüft werden"),
        bad_document: t(
            "Sie gibt an, dass ihre Beschreibung an einer eigenen Adresse liegt, und dort ist keine \
             gültige. Es wurde nichts geändert. Wenden Sie sich an den Hersteller der App; wenn er den \
             Fehler behoben hat, starten Sie die Anmeldung in der App noch einmal.",
        ),
        unproven_redirect_title: t("Diese App verlangt eine Adresse, die nicht ihre eigene ist"),
        unproven_redirect: t(
            "Die Anmeldung würde Ihren Zugriff an eine Adresse senden, die die App nicht registriert \
             hat. Sie wurde gestoppt. Wenn Sie die App gerade aktualisiert haben, entfernen Sie den \
             Server aus ihr und fügen Sie ihn wieder hinzu.",
        ),
        cannot_start_title: t("Die Anmeldung kann gerade nicht beginnen"),
        cannot_start: t(
            "Etwas, das dieser Server braucht, antwortet nicht. Versuchen Sie es gleich noch einmal.",
        ),
        crowded_title: t("Gerade melden sich viele an"),
        crowded: t(
            "Es haben mehr Anmeldungen begonnen, als dieser Server auf einmal annimmt. Es ist nichts verloren: Laden Sie diese \
             Seite gleich noch einmal.",
        ),
        not_waiting_title: t("Diese Anmeldung wartet nicht in diesem Browser"),
        not_waiting: t(
            "Sie ist vielleicht schon beendet, oder sie wurde in einem anderen Browser begonnen. Es \
             wurde nichts geändert. Starten Sie die Anmeldung in Ihrer App noch einmal, und erlauben Sie \
             Cookies für diese Website.",
        ),
        no_cookies_title: t("Dieser Browser sendet keine Cookies"),
        no_cookies: t(
            "Eine Anmeldung braucht Cookies, damit niemand sonst sie abschließen kann. Es wurde nichts \
             geändert. Erlauben Sie Cookies für diese Website, und starten Sie die Anmeldung in Ihrer \
             App dann noch einmal.",
        ),
        expired_title: t("Diese Anmeldung ist abgelaufen"),
        expired: t(
            "Sie hat zu lange gedauert. Es wurde nichts geändert. Starten Sie die Anmeldung in Ihrer App \
             noch einmal.",
        ),
        unreadable_form_title: t("Dieses Formular ist nicht lesbar"),
        unreadable_form: t(
            "Es wurde nichts geändert. Starten Sie die Anmeldung in Ihrer App noch einmal.",
        ),
        not_this_browser_title: t("Diese Anmeldung gehört nicht zu diesem Browser"),
        not_this_browser: t(
            "Sie ist vielleicht abgelaufen oder schon verwendet, oder sie wurde in einem anderen Browser \
             begonnen. Wenn Ihnen jemand diesen Link geschickt hat, verwenden Sie ihn nicht. Sonst \
             starten Sie die Anmeldung in Ihrer App noch einmal, und erlauben Sie Cookies für diese \
             Website.",
        ),
        unreadable_answer_title: t("Die Antwort des Kontoanbieters ist nicht lesbar"),
        unreadable_answer: t(
            "Es wurde nichts geändert. Starten Sie die Anmeldung in Ihrer App noch einmal.",
        ),
        already_used_title: t("Diese Anmeldung wurde schon verwendet"),
        already_used: t(
            "Wenn Ihre App noch wartet, starten Sie die Anmeldung in ihr noch einmal. Sie können diese \
             Seite schließen.",
        ),
        cannot_finish_title: t("Die Anmeldung kann gerade nicht abgeschlossen werden"),
        cannot_finish: t(
            "Etwas, das dieser Server braucht, antwortet nicht. Es ist nichts verloren: Laden Sie diese \
             Seite gleich noch einmal.",
        ),
        wrong_method_title: t("Diese Adresse ist für Webbrowser"),
        wrong_method: t("Es wurde nichts geändert. Starten Sie die Anmeldung in Ihrer App."),
        ..english::words()
    }
}
