//! Japanese, in polite form.

use std::borrow::Cow::Borrowed as t;

use super::{english, texts::Words};

#[allow(
    clippy::needless_update,
    reason = "a new text reads English until it is translated; a test names it"
)]
pub(super) fn words() -> Words {
    Words {
        help: t("お困りですか？"),
        id: t("ID"),
        try_again: t("もう一度試す"),

        consent_title: t("{service} へのアクセス"),
        consent_heading: t("アプリが {service} へのアクセスを求めています"),
        app: t("アプリ"),
        calls_itself: t("アプリが名乗る名前"),
        no_name: t("アプリは名前を名乗っていません"),
        name_not_checked: t("この名前は {service} が確認したものではありません。"),
        name_of_operator: t("このアプリは {service} が設定したものです。"),
        described_by: t("説明の提供元"),
        goes_to: t("アクセス権の送り先"),
        this_computer: t("このコンピューター"),
        this_computer_port: t("このコンピューター、ポート {port}"),
        app_on_this_computer: t("このコンピューター上のアプリ"),
        whole_address: t("アドレス全体を表示"),
        caution_local: t(
            "このコンピューター上のどのプログラムでも、この名前を名乗ることができます。たった今ご自身でこ\
             のログインを始めた場合にのみ続行してください。",
        ),
        caution_local_described: t(
            "このコンピューター上のどのプログラムでも、この名前を名乗り、この説明を示すことができます。た\
             った今ご自身でこのログインを始めた場合にのみ続行してください。",
        ),
        caution_host: t(
            "名前はアプリ自身が名乗るものです。説明を提供しているアドレスは確認済みです。そのアドレスに心\
             当たりがあり、ご自身でこのログインを始めた場合にのみ続行してください。",
        ),
        caution_other_address: t(
            "名前はアプリ自身が名乗るものです。説明を提供しているアドレスは確認済みですが、アクセス権は別\
             のアドレスに送られます。両方のアドレスに心当たりがあり、ご自身でこのログインを始めた場合にの\
             み続行してください。",
        ),
        caution_address: t(
            "名前はアプリ自身が名乗るものです。上のアドレスに心当たりがあり、ご自身でこのログインを始めた\
             場合にのみ続行してください。",
        ),
        at: t("対象"),
        it_may: t("許可すると、アプリができること"),
        act_for_you: t("あなたに代わって {service} を利用する"),
        scope_names: t("技術上の名前を表示"),
        scopes: t("スコープ"),
        scopes_of_service: t("{service} で"),
        scopes_of_person: t("あなたについて"),
        scope_openid: t("再訪時にあなたを認識する"),
        scope_profile: t("名前と写真を見る"),
        scope_email: t("メールアドレスを見る"),
        scope_address: t("住所を見る"),
        scope_phone: t("電話番号を見る"),
        scope_offline_access: t("あなたが解除するまで接続を維持する"),
        allow: t("許可してログイン"),
        allow_with: t("許可して {provider} でログイン"),
        deny: t("拒否"),

        log_in_to: t("{service} にログイン"),
        log_in_with: t("ログインに使うアカウント"),
        choose: t("どのアカウントでログインするかを選んでください。"),
        go_on: t("続行"),
        cancel: t("キャンセル"),

        account_heading: t("ログインしました"),
        account_name: t("名前"),
        account_address: t("アカウント"),
        account_unconfirmed: t("（アカウントの提供元は確認していません）"),
        account_unnamed: t("アカウントの提供元は名前を示していません"),
        account_text: t("続行すると、アプリはこのアカウントで {service} を利用します。"),
        account_caution: t(
            "ご自分のアカウントではない場合や、このログインを始めた覚えがない場合は、続行しないでください。\
             アプリでの操作内容が他の人のアカウントに入ってしまいます。",
        ),
        another_account: t("別のアカウントを使う"),
        account_log_out_first: t(
            "別のアカウントを使うには、先にアカウントの提供元からログアウトしてください。その後、アプリか\
             らもう一度ログインを始めてください。",
        ),

        for_apps_title: t("{service} はアプリ用です"),
        for_apps_text: t(
            "このアドレスは、AI アシスタントやエディターなどのアプリ（MCP クライアント）用です。ブラウザ\
             ーで表示するものはありません。",
        ),
        for_apps_address: t("アドレス"),
        for_apps_steps: t(
            "利用するには、このアドレスを MCP サーバーとしてアプリに追加してください。するとアプリがブラ\
             ウザーを開き、ログインできるようになります。",
        ),

        done_title: t("ログインしました"),
        done_text: t("アプリに戻ってください。このページは閉じてかまいません。"),
        cancelled_title: t("ログインはキャンセルされました"),
        cancelled_text: t(
            "アプリにアクセス権は与えられていません。このページは閉じてかまいません。",
        ),

        unreadable_request_title: t("このログイン用リンクを読み取れません"),
        unreadable_request: t(
            "何も変更されていません。アプリからもう一度ログインを始めてください。",
        ),
        embedded_title: t("ログインには専用のウィンドウが必要です"),
        embedded: t(
            "別のサイトがこのアドレスを自分のページに埋め込みました。何も変更されていません。アプリからロ\
             グインを始めてください。",
        ),
        unknown_client_title: t("このアプリはここに登録されていません"),
        unknown_client: t(
            "このサーバーではアプリの登録が有効ではありません。アプリからこのサーバーを削除して追加し直す\
             と、アプリが改めて登録されます。",
        ),
        denied_client_title: t("このアプリはここにログインできません"),
        denied_client: t(
            "このサーバーの運営者がアプリをブロックしています。何も変更されていません。",
        ),
        no_document_title: t("現在、このアプリを確認できません"),
        no_document: t(
            "アプリは自身の説明が専用のアドレスにあるとしていますが、そのアドレスが応答しません。何も変更\
             されていません。しばらくしてからもう一度お試しください。",
        ),
        bad_document_title: t("このアプリを確認できません"),
        bad_document: t(
            "アプリは自身の説明が専用のアドレスにあるとしていますが、有効な説明がありません。何も変更され\
             ていません。アプリの開発元にお問い合わせください。修正されたら、アプリからもう一度ログインを\
             始めてください。",
        ),
        unproven_redirect_title: t("このアプリは自分のものではないアドレスを指定しています"),
        unproven_redirect: t(
            "このまま進むと、アプリが登録していないアドレスにアクセス権が送られるため、ログインを中止しま\
             した。アプリを更新した直後の場合は、アプリからこのサーバーを削除して追加し直してください。",
        ),
        cannot_start_title: t("現在、ログインを開始できません"),
        cannot_start: t(
            "このサーバーに必要なものが応答していません。しばらくしてからもう一度お試しください。",
        ),
        crowded_title: t("現在、多くの人がログインしています"),
        crowded: t(
            "このサーバーが一度に受け付けられる数を超えるログインが始まっています。何も失われていません。しばらくしてからこのページ\
             を再読み込みしてください。",
        ),
        not_waiting_title: t("このブラウザーで待機中のログインではありません"),
        not_waiting: t(
            "すでに終了したか、別のブラウザーで始められた可能性があります。何も変更されていません。アプリ\
             からもう一度ログインを始め、このサイトの Cookie を許可してください。",
        ),
        no_cookies_title: t("このブラウザーは Cookie を送信していません"),
        no_cookies: t(
            "ほかの人がログインを完了できないようにするため、Cookie が必要です。何も変更されていません。\
             このサイトの Cookie を許可してから、アプリからもう一度ログインを始めてください。",
        ),
        expired_title: t("このログインは期限切れです"),
        expired: t(
            "時間がかかりすぎました。何も変更されていません。アプリからもう一度ログインを始めてください。",
        ),
        unreadable_form_title: t("このフォームを読み取れません"),
        unreadable_form: t("何も変更されていません。アプリからもう一度ログインを始めてください。"),
        not_this_browser_title: t("このブラウザーのログインではありません"),
        not_this_browser: t(
            "期限が切れたか、すでに使われたか、別のブラウザーで始められた可能性があります。だれかからこの\
             リンクが送られてきた場合は、使わないでください。それ以外の場合は、アプリからもう一度ログイン\
             を始め、このサイトの Cookie を許可してください。",
        ),
        unreadable_answer_title: t("ID プロバイダーからの応答を読み取れません"),
        unreadable_answer: t(
            "何も変更されていません。アプリからもう一度ログインを始めてください。",
        ),
        already_used_title: t("このログインはすでに使われています"),
        already_used: t(
            "アプリがまだ待機している場合は、アプリからもう一度ログインを始めてください。このページは閉じ\
             てかまいません。",
        ),
        cannot_finish_title: t("現在、ログインを完了できません"),
        cannot_finish: t(
            "このサーバーに必要なものが応答していません。何も失われていません。しばらくしてからこのページ\
             を再読み込みしてください。",
        ),
        wrong_method_title: t("このアドレスはウェブブラウザー用です"),
        wrong_method: t("何も変更されていません。アプリからログインを始めてください。"),
        ..english::words()
    }
}
