//! Spanish, addressed politely.

use std::borrow::Cow::Borrowed as t;

use super::{english, texts::Words};

#[allow(
    clippy::needless_update,
    reason = "a new text reads English until it is translated; a test names it"
)]
pub(super) fn words() -> Words {
    Words {
        help: t("¿Algún problema?"),
        id: t("ID"),
        try_again: t("Intentarlo de nuevo"),

        consent_title: t("Acceso a {service}"),
        consent_heading: t("Una aplicación solicita acceso a {service}"),
        app: t("Aplicación"),
        calls_itself: t("Se presenta como"),
        no_name: t("No indica ningún nombre"),
        name_not_checked: t("Este nombre no ha sido comprobado por {service}."),
        name_of_operator: t("Esta aplicación ha sido configurada por {service}."),
        described_by: t("Descrita por"),
        goes_to: t("El acceso se envía a"),
        this_computer: t("este equipo"),
        this_computer_port: t("este equipo, puerto {port}"),
        app_on_this_computer: t("una aplicación de este equipo"),
        whole_address: t("Mostrar la dirección completa"),
        caution_local: t(
            "Cualquier programa de este equipo puede usar este nombre. Continúe solo si acaba de empezar \
             usted este inicio de sesión.",
        ),
        caution_local_described: t(
            "Cualquier programa de este equipo puede usar este nombre y mostrar esta descripción. \
             Continúe solo si acaba de empezar usted este inicio de sesión.",
        ),
        caution_host: t(
            "El nombre lo ha elegido la propia aplicación; la dirección que la describe se ha \
             comprobado. Continúe solo si conoce esa dirección y ha empezado usted este inicio de sesión.",
        ),
        caution_other_address: t(
            "El nombre lo ha elegido la propia aplicación; la dirección que la describe se ha \
             comprobado, pero el acceso se envía a otra. Continúe solo si conoce ambas y ha empezado \
             usted este inicio de sesión.",
        ),
        caution_address: t(
            "El nombre lo ha elegido la propia aplicación. Continúe solo si conoce la dirección anterior \
             y ha empezado usted este inicio de sesión.",
        ),
        at: t("En"),
        it_may: t("Si lo permite, podrá"),
        act_for_you: t("usar {service} en su nombre"),
        scope_names: t("Mostrar los nombres técnicos"),
        scopes: t("Permisos (scopes)"),
        scopes_of_service: t("En {service}"),
        scopes_of_person: t("Sobre usted"),
        scope_openid: t("reconocerle cuando vuelva"),
        scope_profile: t("ver su nombre y su foto"),
        scope_email: t("ver su dirección de correo electrónico"),
        scope_address: t("ver su dirección postal"),
        scope_phone: t("ver su número de teléfono"),
        scope_offline_access: t("mantener la conexión hasta que usted la termine"),
        allow: t("Permitir e iniciar sesión"),
        allow_with: t("Permitir y luego iniciar sesión con {provider}"),
        deny: t("Denegar"),

        log_in_to: t("Iniciar sesión en {service}"),
        log_in_with: t("Iniciar sesión con"),
        choose: t("Elija con qué desea iniciar sesión."),
        go_on: t("Continuar"),
        cancel: t("Cancelar"),

        account_heading: t("Ha iniciado sesión"),
        account_name: t("Nombre"),
        account_address: t("Cuenta"),
        account_unconfirmed: t("(no confirmada por el proveedor de la cuenta)"),
        account_unnamed: t("El proveedor de la cuenta no indica ningún nombre"),
        account_text: t("Si continúa, la aplicación actuará con esta cuenta en {service}."),
        account_caution: t(
            "¿No es su cuenta o no ha empezado usted este inicio de sesión? Entonces no continúe: lo que \
             haga en la aplicación acabaría en la cuenta de otra persona.",
        ),
        another_account: t("Usar otra cuenta"),
        account_log_out_first: t(
            "Para usar otra cuenta, cierre primero la sesión en el proveedor de la cuenta. Después \
             vuelva a iniciar sesión desde su aplicación.",
        ),

        for_apps_title: t("{service} es para aplicaciones"),
        for_apps_text: t(
            "Esta dirección es para aplicaciones como asistentes de IA y editores (clientes MCP). Aquí \
             no hay nada que ver en un navegador.",
        ),
        for_apps_address: t("Dirección"),
        for_apps_steps: t(
            "Para usarla, añada esta dirección a su aplicación como servidor MCP. La aplicación abrirá \
             entonces su navegador para que pueda iniciar sesión.",
        ),

        done_title: t("Ha iniciado sesión"),
        done_text: t("Vuelva a su aplicación. Puede cerrar esta página."),
        cancelled_title: t("El inicio de sesión se ha cancelado"),
        cancelled_text: t("La aplicación no ha obtenido acceso. Puede cerrar esta página."),

        unreadable_request_title: t("No se puede leer este enlace de inicio de sesión"),
        unreadable_request: t(
            "No se ha cambiado nada. Vuelva a iniciar sesión desde su aplicación.",
        ),
        embedded_title: t("El inicio de sesión necesita su propia ventana"),
        embedded: t(
            "Otro sitio ha incluido esta dirección en su página. No se ha cambiado nada. Inicie sesión \
             desde su aplicación.",
        ),
        unknown_client_title: t("Esta aplicación no se conoce aquí"),
        unknown_client: t(
            "Su registro no es válido en este servidor. Quite el servidor de su aplicación y vuelva a \
             añadirlo para que la aplicación se registre de nuevo.",
        ),
        denied_client_title: t("Esta aplicación no puede iniciar sesión aquí"),
        denied_client: t("El operador de este servidor la ha bloqueado. No se ha cambiado nada."),
        no_document_title: t("Ahora mismo no se puede comprobar esta aplicación"),
        no_document: t(
            "Indica que su descripción está en una dirección propia, y esa dirección no responde. No se \
             ha cambiado nada. Inténtelo de nuevo dentro de un momento.",
        ),
        bad_document_title: t("No se puede comprobar esta aplicación"),
        bad_document: t(
            "Indica que su descripción está en una dirección propia, y allí no hay ninguna válida. No se \
             ha cambiado nada. Consulte al fabricante de la aplicación; cuando lo haya corregido, vuelva \
             a iniciar sesión desde la aplicación.",
        ),
        unproven_redirect_title: t("Esta aplicación pide una dirección que no es suya"),
        unproven_redirect: t(
            "El inicio de sesión enviaría su acceso a una dirección que la aplicación no ha registrado. \
             Se ha detenido. Si acaba de actualizar la aplicación, quite de ella el servidor y vuelva a \
             añadirlo.",
        ),
        cannot_start_title: t("Ahora mismo no se puede empezar el inicio de sesión"),
        cannot_start: t(
            "Algo que este servidor necesita no responde. Inténtelo de nuevo dentro de un momento.",
        ),
        crowded_title: t("Muchas personas están iniciando sesión en este momento"),
        crowded: t(
            "Han empezado más inicios de sesión de los que este servidor admite a la vez. No se ha perdido nada: vuelva a cargar esta \
             página dentro de un momento.",
        ),
        not_waiting_title: t("Este inicio de sesión no está en espera en este navegador"),
        not_waiting: t(
            "Puede que haya terminado o que se haya empezado en otro navegador. No se ha cambiado nada. \
             Vuelva a iniciar sesión desde su aplicación y permita las cookies para este sitio.",
        ),
        no_cookies_title: t("Este navegador no envía cookies"),
        no_cookies: t(
            "El inicio de sesión necesita cookies para que nadie más pueda terminarlo. No se ha cambiado \
             nada. Permita las cookies para este sitio y vuelva a iniciar sesión desde su aplicación.",
        ),
        expired_title: t("Este inicio de sesión ha caducado"),
        expired: t(
            "Ha tardado demasiado. No se ha cambiado nada. Vuelva a iniciar sesión desde su aplicación.",
        ),
        unreadable_form_title: t("No se puede leer este formulario"),
        unreadable_form: t("No se ha cambiado nada. Vuelva a iniciar sesión desde su aplicación."),
        not_this_browser_title: t("Este inicio de sesión no pertenece a este navegador"),
        not_this_browser: t(
            "Puede que haya caducado, que ya se haya usado o que se haya empezado en otro navegador. Si \
             alguien le ha enviado este enlace, no lo use. Si no, vuelva a iniciar sesión desde su \
             aplicación y permita las cookies para este sitio.",
        ),
        unreadable_answer_title: t("No se puede leer la respuesta del proveedor de identidad"),
        unreadable_answer: t(
            "No se ha cambiado nada. Vuelva a iniciar sesión desde su aplicación.",
        ),
        already_used_title: t("Este inicio de sesión ya se ha usado"),
        already_used: t(
            "Si su aplicación sigue esperando, vuelva a iniciar sesión desde ella. Puede cerrar esta \
             página.",
        ),
        cannot_finish_title: t("Ahora mismo no se puede terminar el inicio de sesión"),
        cannot_finish: t(
            "Algo que este servidor necesita no responde. No se ha perdido nada: vuelva a cargar esta \
             página dentro de un momento.",
        ),
        wrong_method_title: t("Esta dirección es para navegadores web"),
        wrong_method: t("No se ha cambiado nada. Inicie sesión desde su aplicación."),
        ..english::words()
    }
}
