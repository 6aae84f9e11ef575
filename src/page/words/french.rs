//! French, addressed politely.

use std::borrow::Cow::Borrowed as t;

use super::{english, texts::Words};

#[allow(
    clippy::needless_update,
    reason = "a new text reads English until it is translated; a test names it"
)]
pub(super) fn words() -> Words {
    Words {
        help: t("Un problème\u{a0}?"),
        id: t("ID"),
        try_again: t("Réessayer"),

        consent_title: t("Accès à {service}"),
        consent_heading: t("Une application demande l’accès à {service}"),
        app: t("Application"),
        calls_itself: t("Elle se présente comme"),
        no_name: t("Elle ne donne aucun nom"),
        name_not_checked: t("Ce nom n’a pas été vérifié par {service}."),
        name_of_operator: t("Cette application a été configurée par {service}."),
        described_by: t("Décrite par"),
        goes_to: t("L’accès est envoyé à"),
        this_computer: t("cet ordinateur"),
        this_computer_port: t("cet ordinateur, port {port}"),
        app_on_this_computer: t("une application sur cet ordinateur"),
        whole_address: t("Afficher l’adresse complète"),
        caution_local: t(
            "N’importe quel programme sur cet ordinateur peut utiliser ce nom. Ne continuez que si vous \
             venez de lancer cette connexion vous-même.",
        ),
        caution_local_described: t(
            "N’importe quel programme sur cet ordinateur peut utiliser ce nom et montrer cette \
             description. Ne continuez que si vous venez de lancer cette connexion vous-même.",
        ),
        caution_host: t(
            "Le nom a été choisi par l’application\u{a0}; l’adresse qui la décrit a été vérifiée. Ne \
             continuez que si vous connaissez cette adresse et avez lancé cette connexion vous-même.",
        ),
        caution_other_address: t(
            "Le nom a été choisi par l’application\u{a0}; l’adresse qui la décrit a été vérifiée, mais \
             l’accès est envoyé à une autre. Ne continuez que si vous connaissez les deux et avez lancé \
             cette connexion vous-même.",
        ),
        caution_address: t(
            "Le nom a été choisi par l’application. Ne continuez que si vous connaissez l’adresse \
             ci-dessus et avez lancé cette connexion vous-même.",
        ),
        at: t("Auprès de"),
        it_may: t("Si vous l’autorisez, elle pourra"),
        act_for_you: t("utiliser {service} en votre nom"),
        scope_names: t("Afficher les noms techniques"),
        scopes: t("Autorisations (scopes)"),
        scopes_of_service: t("Dans {service}"),
        scopes_of_person: t("À votre sujet"),
        scope_openid: t("vous reconnaître à votre retour"),
        scope_profile: t("voir votre nom et votre photo"),
        scope_email: t("voir votre adresse e-mail"),
        scope_address: t("voir votre adresse postale"),
        scope_phone: t("voir votre numéro de téléphone"),
        scope_offline_access: t("rester connectée jusqu’à ce que vous y mettiez fin"),
        allow: t("Autoriser et se connecter"),
        allow_with: t("Autoriser, puis se connecter avec {provider}"),
        deny: t("Refuser"),

        log_in_to: t("Connexion à {service}"),
        log_in_with: t("Se connecter avec"),
        choose: t("Choisissez avec quoi vous souhaitez vous connecter."),
        go_on: t("Continuer"),
        cancel: t("Annuler"),

        account_heading: t("Connexion réussie"),
        account_name: t("Nom"),
        account_address: t("Compte"),
        account_unconfirmed: t("(non confirmée par le fournisseur du compte)"),
        account_unnamed: t("Le fournisseur du compte ne donne aucun nom"),
        account_text: t("Si vous continuez, l’application agira avec ce compte dans {service}."),
        account_caution: t(
            "Ce n’est pas votre compte, ou vous n’avez pas lancé cette connexion\u{a0}? Alors ne \
             continuez pas\u{a0}: ce que vous ferez dans l’application se retrouverait dans le compte \
             d’une autre personne.",
        ),
        another_account: t("Utiliser un autre compte"),
        account_log_out_first: t(
            "Pour utiliser un autre compte, déconnectez-vous d’abord chez le fournisseur du compte. \
             Relancez ensuite la connexion depuis votre application.",
        ),

        for_apps_title: t("{service} est destiné aux applications"),
        for_apps_text: t(
            "Cette adresse est destinée à des applications comme les assistants IA et les éditeurs \
             (clients MCP). Il n’y a rien à voir ici dans un navigateur.",
        ),
        for_apps_address: t("Adresse"),
        for_apps_steps: t(
            "Pour l’utiliser, ajoutez cette adresse à votre application en tant que serveur MCP. \
             L’application ouvrira alors votre navigateur pour que vous puissiez vous connecter.",
        ),

        done_title: t("Connexion réussie"),
        done_text: t("Revenez à votre application. Vous pouvez fermer cette page."),
        cancelled_title: t("La connexion a été annulée"),
        cancelled_text: t("L’application n’a reçu aucun accès. Vous pouvez fermer cette page."),

        unreadable_request_title: t("Ce lien de connexion est illisible"),
        unreadable_request: t(
            "Rien n’a été modifié. Relancez la connexion depuis votre application.",
        ),
        embedded_title: t("Une connexion a besoin de sa propre fenêtre"),
        embedded: t(
            "Un autre site a intégré cette adresse dans sa page. Rien n’a été modifié. Lancez la \
             connexion depuis votre application.",
        ),
        unknown_client_title: t("Cette application n’est pas connue ici"),
        unknown_client: t(
            "Son enregistrement n’est pas valable sur ce serveur. Supprimez le serveur de votre \
             application, puis ajoutez-le de nouveau, afin que l’application s’enregistre à nouveau.",
        ),
        denied_client_title: t("Cette application n’est pas autorisée à se connecter ici"),
        denied_client: t("L’exploitant de ce serveur l’a bloquée. Rien n’a été modifié."),
        no_document_title: t("Cette application ne peut pas être vérifiée pour le moment"),
        no_document: t(
            "Elle indique que sa description se trouve à une adresse qui lui appartient, et cette \
             adresse ne répond pas. Rien n’a été modifié. Réessayez dans un instant.",
        ),
        bad_document_title: t("Cette application ne peut pas être vérifiée"),
        bad_document: t(
            "Elle indique que sa description se trouve à une adresse qui lui appartient, et il n’y en a \
             aucune de valable. Rien n’a été modifié. Adressez-vous à l’éditeur de l’application\u{a0}; \
             une fois l’erreur corrigée, relancez la connexion depuis l’application.",
        ),
        unproven_redirect_title: t("Cette application demande une adresse qui n’est pas la sienne"),
        unproven_redirect: t(
            "La connexion enverrait votre accès à une adresse que l’application n’a pas enregistrée. \
             Elle a été arrêtée. Si vous venez de mettre l’application à jour, supprimez-y le serveur, \
             puis ajoutez-le de nouveau.",
        ),
        cannot_start_title: t("La connexion ne peut pas commencer pour le moment"),
        cannot_start: t(
            "Un élément dont ce serveur a besoin ne répond pas. Réessayez dans un instant.",
        ),
        crowded_title: t("Beaucoup de personnes se connectent en ce moment"),
        crowded: t(
            "Plus de connexions ont commencé que ce serveur n’en accepte à la fois. Rien n’est perdu\u{a0}: rechargez cette \
             page dans un instant.",
        ),
        not_waiting_title: t("Cette connexion n’est pas en attente dans ce navigateur"),
        not_waiting: t(
            "Elle est peut-être terminée, ou elle a été lancée dans un autre navigateur. Rien n’a été \
             modifié. Relancez la connexion depuis votre application et autorisez les cookies pour ce \
             site.",
        ),
        no_cookies_title: t("Ce navigateur n’envoie pas de cookies"),
        no_cookies: t(
            "Une connexion a besoin de cookies, afin que personne d’autre ne puisse la terminer. Rien \
             n’a été modifié. Autorisez les cookies pour ce site, puis relancez la connexion depuis \
             votre application.",
        ),
        expired_title: t("Cette connexion a expiré"),
        expired: t(
            "Elle a pris trop de temps. Rien n’a été modifié. Relancez la connexion depuis votre \
             application.",
        ),
        unreadable_form_title: t("Ce formulaire est illisible"),
        unreadable_form: t("Rien n’a été modifié. Relancez la connexion depuis votre application."),
        not_this_browser_title: t("Cette connexion n’appartient pas à ce navigateur"),
        not_this_browser: t(
            "Elle a peut-être expiré ou déjà été utilisée, ou elle a été lancée dans un autre \
             navigateur. Si quelqu’un vous a envoyé ce lien, ne l’utilisez pas. Sinon, relancez la \
             connexion depuis votre application et autorisez les cookies pour ce site.",
        ),
        unreadable_answer_title: t("La réponse du fournisseur d’identité est illisible"),
        unreadable_answer: t(
            "Rien n’a été modifié. Relancez la connexion depuis votre application.",
        ),
        already_used_title: t("Cette connexion a déjà été utilisée"),
        already_used: t(
            "Si votre application attend encore, relancez la connexion depuis celle-ci. Vous pouvez \
             fermer cette page.",
        ),
        cannot_finish_title: t("La connexion ne peut pas être terminée pour le moment"),
        cannot_finish: t(
            "Un élément dont ce serveur a besoin ne répond pas. Rien n’est perdu\u{a0}: rechargez cette \
             page dans un instant.",
        ),
        wrong_method_title: t("Cette adresse est destinée aux navigateurs web"),
        wrong_method: t("Rien n’a été modifié. Lancez la connexion depuis votre application."),
        ..english::words()
    }
}
