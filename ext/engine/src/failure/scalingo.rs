//! What Scalingo's API refuses, and what it does not have.

use super::Hitch;
use phrases::phrases;

phrases! {
    /// What the API was asked to do. It fits behind "was asked" and behind "refused".
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ApiCall {
        /// Exchange the API token.
        ExchangeToken "exchange_token",
        /// List its regions.
        ListRegions "list_regions",
        /// List the addons of an app.
        ListAddons "list_addons" { app: String },
        /// Give a token for an addon.
        GiveToken "give_token" { app: String },
        /// List backups.
        ListBackups "list_backups" { app: String },
        /// Say where a new backup stands.
        SayStatus "say_status" { app: String },
        /// Make a backup.
        MakeBackup "make_backup" { app: String },
        /// Give a link to a backup.
        GiveLink "give_link" { app: String },
    }
}

phrases! {
    /// How it answered.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ApiAnswer {
        /// With this status.
        AnswerStatus "answer_status" { status: u16 },
        /// With this status, and an explanation of its own.
        AnswerExplained "answer_explained" { status: u16, explanation: String },
    }
}

phrases! {
    /// What stands between the configuration and a backup at Scalingo.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ScalingoFailure {
        /// No app is configured.
        NoApp "no_app",
        /// There is no API token.
        NoToken "no_token",
        /// An address of the API is none.
        BaseNoUrl "base_no_url",
        /// There is no such region.
        RegionUnknown "region_unknown" { region: String },
        /// No region is configured.
        RegionMissing "region_missing",
        /// The API could not be reached.
        Unreached "unreached" { call: ApiCall, why: Hitch },
        /// Its answer is not what is documented.
        Undocumented "undocumented" { call: ApiCall },
        /// It refused.
        Refusal "refusal" { call: ApiCall, answer: ApiAnswer },
        /// It failed.
        Failing "failing" { call: ApiCall, answer: ApiAnswer },
        /// It does not accept the API token.
        TokenRefused "token_refused" { answer: ApiAnswer },
        /// It wants a payment.
        PaymentWanted "payment_wanted" { answer: ApiAnswer },
        /// It was asked too often.
        AskedTooOften "asked_too_often" { answer: ApiAnswer },
        /// It redirects.
        Redirected "redirected" { answer: ApiAnswer },
        /// The token sees no such app.
        AppUnknown "app_unknown" { app: String, region: String, answer: ApiAnswer },
        /// The app no longer has the addon.
        AddonGone "addon_gone" { app: String, answer: ApiAnswer },
        /// There are no backups.
        NoBackups "no_backups" { app: String, answer: ApiAnswer },
        /// The backup no longer exists.
        BackupGone "backup_gone" { app: String, answer: ApiAnswer },
        /// The app has no PostgreSQL addon.
        NoPostgresql "no_postgresql" { app: String },
        /// It has several.
        SeveralPostgresql "several_postgresql" { app: String, addons: Vec<String> },
        /// Backups of this one cannot be downloaded.
        Dedicated "dedicated" { app: String, addon: String },
        /// The addon is not PostgreSQL.
        OtherAddon "other_addon" { app: String, addon: String, provider: String },
        /// The addon is not PostgreSQL, and what it is is not shown.
        OddAddon "odd_addon" { app: String, addon: String },
        /// The app has no such addon.
        AddonUnknown "addon_unknown" { app: String, addon: String },
        /// No backup is finished.
        NoneFinished "none_finished" { app: String },
        /// A backup was asked for, and could not be made.
        NotMade "not_made" { app: String, id: String },
        /// It takes too long to make it.
        StillMaking "still_making" { app: String, status: String, count: u64 },
        /// It disappeared while it was being made.
        Disappeared "disappeared" { app: String, id: String },
        /// It is gone and is needed again.
        GoneMeanwhile "gone_meanwhile" { app: String, id: String },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ScalingoRemedy {
        /// Name the app.
        SetApp "set_app",
        /// Make a token.
        MakeToken "make_token",
        /// Make a new token.
        MakeNewToken "make_new_token",
        /// Check the addresses.
        CheckAddresses "check_addresses",
        /// Set one of these regions.
        SetRegion "set_region" { regions: Vec<String> },
        /// Check the network.
        CheckNetworkToScalingo "check_network_to_scalingo",
        /// Run again; report it if it stays.
        ReportApi "report_api",
        /// Wait for so many seconds.
        WaitAsAsked "wait_as_asked" { count: u64 },
        /// Wait some minutes.
        WaitMinutes "wait_minutes",
        /// Look at the bill.
        LookAtBilling "look_at_billing",
        /// Add the token's owner to the app.
        AddCollaborator "add_collaborator" { app: String },
        /// Check the options that name the source.
        CheckSourceOptions "check_source_options",
        /// Wait until it is over.
        WaitForScalingo "wait_for_scalingo",
        /// Run later.
        RunLater "run_later",
        /// Check the region and the addresses.
        CheckRegion "check_region",
        /// Check app and region.
        CheckAppAndRegion "check_app_and_region",
        /// Check the addon's id.
        CheckAddonId "check_addon_id",
        /// Look at the backups.
        LookAtBackups "look_at_backups",
        /// Run again with the newest.
        TakeNewest "take_newest",
        /// Run again with a newer one.
        TakeNewer "take_newer",
        /// Check the address for tokens.
        CheckAuthAddress "check_auth_address",
        /// Name the app that owns the database.
        NameOwner "name_owner",
        /// Set which addon.
        SetAddon "set_addon",
        /// Set one of these addons.
        SetOneOfAddons "set_one_of_addons" { addons: Vec<String> },
        /// There is none: check the app.
        NoAddonCheckApp "no_addon_check_app",
        /// Make a dump by hand.
        GiveDump "give_dump",
        /// Have one made.
        HaveOneMade "have_one_made",
        /// Look at it, or take the newest finished one.
        TakeFinished "take_finished",
        /// Run again.
        RunAgain "run_again",
    }
}
