//! The words by which columns of personal data go, in English and French, and in other languages where a word is clear by
//! itself; `languages` has more of those, `fields` the terms of art. Written for this project from how applications name their columns.
//!
//! A phrase is compared word by word (see `words`), so one spelling covers snake_case, camelCase and plurals;
//! written together ("firstname") it counts too. How sure a phrase is depends on what the table is about: `name` is
//! a person's in `users` and a thing's in `products`.

pub(crate) mod fields;
pub(crate) mod languages;

use super::PiiKind;

/// How sure a phrase is, from 0 to 1, in a table of persons, of writings, of anything, of things.
type Sure = [f32; 4];

/// Clear by itself, wherever it stands.
const ALWAYS: Sure = [0.97, 0.97, 0.95, 0.9];
/// Clear, but also said of things now and then.
const MOSTLY: Sure = [0.9, 0.85, 0.8, 0.6];
/// Said of persons and places alike: not in a table of things.
const PERSON: Sure = [0.9, 0.7, 0.6, 0.2];
/// Only in a table of persons.
pub(crate) const ONLY_PERSON: Sure = [0.85, 0.35, 0.3, 0.1];
/// Free text by its nature.
const TEXT: Sure = [0.85, 0.9, 0.8, 0.55];
/// Free text when the table is of writings.
const WRITING: Sure = [0.55, 0.85, 0.45, 0.1];

/// A group of phrases that mean the same kind.
pub(crate) struct WordRule {
    pub kind: PiiKind,
    pub sure: Sure,
    /// Phrases with commas between.
    pub phrases: &'static str,
}

const fn rule(kind: PiiKind, sure: Sure, phrases: &'static str) -> WordRule {
    WordRule { kind, sure, phrases }
}

/// Every rule. A longer phrase wins over a shorter one inside it.
pub(crate) const RULES: &[WordRule] = &[
    // Contact.
    rule(PiiKind::Email, ALWAYS, "email, e mail, mail address, email address, adresse mail, adresse email, adresse electronique, adresse courriel, courriel, courriel adresse, mel, correo, correo electronico, posta elettronica, mail to, mailto, reply to, recipient email, cc address, bcc address, to address, from address, cc, bcc"),
    rule(PiiKind::Email, MOSTLY, "mail, unconfirmed email"),
    rule(PiiKind::Phone, ALWAYS, "phone, phone number, telephone, telephone number, tel, cell phone, mobile phone, mobile number, cell number, portable number, contact number, msisdn, whatsapp, whatsapp number, fax, fax number, telecopie, telefon, telefonnummer, handy, handynummer, mobilnummer, telefono, movil, cellulare, gsm, numero de telephone, numero telephone, telephone portable, telephone fixe, telephone mobile, home phone, work phone, pager, sms number, e 164"),
    rule(PiiKind::Phone, ONLY_PERSON, "mobile, cell, portable, fixe"),
    rule(PiiKind::StreetAddress, ALWAYS, "street address, home address, postal address, mailing address, billing address, shipping address, delivery address, residential address, address line, address line 1, address line 2, address line 3, adresse postale, adresse de facturation, adresse de livraison, adresse livraison, adresse facturation, adresse domicile, complement adresse, complement d adresse, anschrift, hausnummer, domicilio, house number"),
    rule(PiiKind::StreetAddress, PERSON, "address, adresse, adress, street, street name, street number, street 1, street 2, street line, rue, voie, numero de voie, nom de voie, strasse, direccion, calle, indirizzo, line 1, line 2, line 3, address 1, address 2, ligne 1, ligne 2, ligne 3, apartment, apt, flat number, flat, appartement, batiment, lieu dit, digicode, po box, boite postale, addressee"),
    rule(PiiKind::PostalCode, PERSON, "zip, zip code, zipcode, postal code, postcode, post code, code postal, cp, plz, postleitzahl, codigo postal, codice postale"),
    rule(PiiKind::City, PERSON, "city, town, ville, commune, localite, stadt, wohnort, ciudad, citta, comune, municipality, suburb"),
    rule(PiiKind::City, ONLY_PERSON, "ort, county, departement, district, residence"),
    rule(PiiKind::SocialProfile, ALWAYS, "linkedin, linkedin url, linkedin profile, facebook url, facebook profile, twitter, twitter handle, twitter url, instagram, instagram handle, tiktok, skype, skype id, telegram, discord, mastodon, github username, github handle, github login, xing"),
    rule(PiiKind::SocialProfile, ONLY_PERSON, "github, gitlab, website, web site, site web, homepage, personal url, portfolio, portfolio url, blog, blog url, facebook"),
    // Names.
    rule(PiiKind::Name, ALWAYS, "full name, fullname, nom complet, nom prenom, prenom nom, nom et prenom, cardholder, card holder, cardholder name, name on card, account holder, account holder name, account owner, holder name, titulaire, titulaire compte, titulaire carte, titulaire du compte, nombre completo, nome completo, nome cognome, kontoinhaber, next of kin, emergency contact, emergency contact name, contact urgence, personne a prevenir, personne a contacter, contact name, nom du contact, nom contact, attention to, attn, medecin traitant, signed name, signatory, signataire, legal name, birth name"),
    rule(PiiKind::Name, ONLY_PERSON, "name, nom et, names, contact, contact person, interlocuteur"),
    rule(PiiKind::Name, MOSTLY, "recipient, destinataire, addressee name, beneficiary, beneficiaire, guardian, tuteur, tutrice, driver, conducteur, chauffeur, witness, temoin, physician, doctor, medecin, nurse, infirmier, infirmiere, dirigeant, gerant, representant legal, legal representative, parrain, marraine, porteur, referee, spouse, conjoint, spouse name, partner name, father name, mother name, nom du pere, nom de la mere, kin, person, personne, referred by, signed by, witnessed by, approved by, reported by, decided by, decide par, decidee par, signe par, signee par, valide par, validee par, saisi par, recommande par"),
    rule(PiiKind::FirstName, ALWAYS, "first name, firstname, given name, forename, fname, prenom, middle name, preferred name, preferred first name, vorname, primer nombre, known as, second prenom, autre prenom, legal first name"),
    rule(PiiKind::FirstName, ONLY_PERSON, "nombre, nome, first, given, middle"),
    rule(PiiKind::LastName, ALWAYS, "last name, lastname, surname, family name, lname, nom de famille, nom famille, nom naissance, nom de naissance, nom de jeune fille, nom jeune fille, nom usage, nom d usage, nom marital, nom patronymique, patronyme, maiden name, nachname, familienname, geburtsname, apellido, cognome, primer apellido, segundo apellido, legal last name, mother maiden name"),
    rule(PiiKind::LastName, ONLY_PERSON, "nom, last"),
    rule(PiiKind::Username, ALWAYS, "username, user name, screen name, nickname, nick name, pseudo, pseudonyme, surnom, handle, user handle, nom utilisateur, nom d utilisateur, identifiant connexion, benutzername, usuario nombre, login name, alias name"),
    rule(PiiKind::Username, ONLY_PERSON, "login, display name, identifiant, nick, alias, initials, initiales"),
    // Birth and traits.
    rule(PiiKind::FileName, [0.9, 0.9, 0.8, 0.3], "filename, file name, attachment name, attachment filename, attachment file name, document name, document filename, nom fichier, nom de fichier, nom du fichier, fichier nom, dateiname, nombre archivo, nombre de archivo, nome file"),
    rule(PiiKind::FileName, ALWAYS, "original filename, original file name, original name, uploaded filename, uploaded file name, upload filename, upload file name, client filename, nom original, nom fichier original, nom original fichier"),
    rule(PiiKind::FileName, [0.6, 0.7, 0.55, 0.2], "attachment, piece jointe, uploaded file"),
    rule(PiiKind::FileName, ONLY_PERSON, "document, file"),
    rule(PiiKind::BirthDate, ALWAYS, "birth date, birthdate, date of birth, birthday, dob, birth day, birth year, year of birth, birth month, born on, born at, birth, date naissance, date de naissance, date naiss, naissance, annee naissance, annee de naissance, ne le, nee le, jour de naissance, anniversaire, geburtsdatum, geburtstag, fecha nacimiento, fecha de nacimiento, data nascita, data di nascita, date of birth utc"),
    rule(PiiKind::BirthPlace, ALWAYS, "birth place, birthplace, place of birth, birth city, city of birth, birth country, country of birth, lieu naissance, lieu de naissance, ville naissance, ville de naissance, commune naissance, commune de naissance, pays naissance, pays de naissance, departement naissance, departement de naissance, geburtsort, lugar nacimiento, lugar de nacimiento, luogo nascita, luogo di nascita"),
    rule(PiiKind::Age, ONLY_PERSON, "age"),
    rule(PiiKind::Gender, MOSTLY, "gender, sexe, civilite, salutation, honorific, gender identity, pronoun, geschlecht, anrede, sexo, sesso, genero, titre civilite, sex at birth"),
    rule(PiiKind::Gender, PERSON, "sex"),
    rule(PiiKind::Gender, ONLY_PERSON, "genre, title, titre"),
    rule(PiiKind::Nationality, ALWAYS, "nationality, nationalite, citizenship, citoyennete, staatsangehorigkeit, nacionalidad, nazionalita"),
    rule(PiiKind::MaritalStatus, ALWAYS, "marital status, marital, family situation, family status, situation familiale, situation de famille, etat civil, familienstand, estado civil, stato civile, civil status, number of children, children count, nb enfant, nombre enfant, nombre d enfant, nombre de enfant, household size, composition familiale, dependents count, spouse birth"),
    rule(PiiKind::SensitiveTrait, ALWAYS, "ethnicity, ethnic, ethnic origin, ethnic group, race, religion, religious, religious belief, confession religieuse, political, political party, political opinion, opinion politique, union member, union membership, trade union, syndicat, syndique, appartenance syndicale, sexual orientation, orientation sexuelle, criminal record, casier judiciaire, conviction, origine ethnique, faith, veteran status, konfession"),
    rule(PiiKind::Photo, MOSTLY, "photo url, avatar, avatar url, profile picture, profile photo, profile image, profile pic, portrait, headshot, photo identite, photo d identite, gravatar"),
    rule(PiiKind::Photo, ONLY_PERSON, "photo, picture, image, picture url, image url, foto"),
    // Identity.
    rule(PiiKind::Nir, ALWAYS, "nir, nss, numero securite sociale, numero de securite sociale, num secu, numero secu, num securite sociale, securite sociale, no secu, num ss, numero ss"),
    rule(PiiKind::Ssn, ALWAYS, "ssn, social security, social security number, social security no, ss number, ssn last 4, social insurance number"),
    rule(PiiKind::NationalId, ALWAYS, "national id, national identity, national identification, national identifier, national insurance, national insurance number, ni number, nino, personal number, personnummer, dni, nie, nif, curp, bsn, pesel, nhs number, upn, ine, numen, rpps, numero rpps, numero ine, adeli, numero adeli, numero allocataire, numero caf, npi, dea number, citizen id, sozialversicherungsnummer, versicherungsnummer, ahv nummer, identity number, numero national, numero identite, national registry, national registration number, unique pupil number, medical licence number, medical license number, licence medicale"),
    rule(PiiKind::IdentityDocument, ALWAYS, "passport, passport number, passport no, passeport, numero passeport, numero de passeport, id card, id card number, identity card, identity document, id document, carte identite, carte d identite, carte nationale identite, cni, numero cni, piece identite, piece d identite, driver license, driver licence, drivers license, drivers licence, driving license, driving licence, driver license number, license number, licence number, permis conduire, permis de conduire, numero permis, titre sejour, titre de sejour, carte sejour, carte de sejour, visa number, work permit, work permit number, residence permit, ausweis, ausweisnummer, personalausweis, reisepass, fuhrerschein, pasaporte, passaporto, document number, document front, document back, green card, dbs check, background check, numero piece"),
    rule(PiiKind::TaxId, ALWAYS, "tax id, tax number, tax identification, tax identification number, tin, itin, taxpayer, numero fiscal, identifiant fiscal, nif fiscal, steuernummer, steuer id, codice fiscale, tax code, spi, reference fiscale, tax reference"),
    rule(PiiKind::Siren, [0.6, 0.3, 0.45, 0.4], "siren, numero siren, siren number"),
    rule(PiiKind::Siret, [0.6, 0.3, 0.45, 0.4], "siret, numero siret, siret number, siret siege"),
    rule(PiiKind::ExternalId, ALWAYS, "stripe customer, stripe customer id, stripe account id, customer stripe id, id client stripe, paypal email, paypal id, braintree customer id, facebook id, facebook uid, facebook user id, fb id, fb uid, fb user id, google id, google uid, google user id, apple id, apple uid, apple user id, twitter id, twitter uid, github id, github uid, linkedin id, linkedin uid, zendesk user id, zendesk id, intercom id, intercom user id, hubspot contact id, hubspot id, salesforce contact id, mailchimp id, slack user id, auth 0 id, firebase uid, keycloak id, sso uid, saml uid, oauth uid, france connect id, franceconnect sub, student number, numero etudiant, numero client stripe, gocardless customer id, mangopay user id, adyen shopper reference, openid, open id"),
    rule(PiiKind::ExternalId, ONLY_PERSON, "uid, external uid, provider uid"),
    rule(PiiKind::LicensePlate, ALWAYS, "license plate, licence plate, plate number, number plate, registration plate, registration number plate, immatriculation, plaque immatriculation, plaque, numero immatriculation, kennzeichen, matricula vehiculo, targa, vin, vin number, numero de chassis, immat, numero chassis"),
    // Financial.
    rule(PiiKind::Iban, ALWAYS, "iban, rib, iban number, numero iban, iban code, code iban"),
    rule(PiiKind::Bic, MOSTLY, "bic, swift, swift code, bic code, code bic, bic swift"),
    rule(PiiKind::Card, ALWAYS, "card number, credit card, credit card number, cc number, debit card, pan number, carte bancaire, numero carte, numero de carte, numero carte bancaire, carte bleue, cb numero, kreditkarte, kreditkartennummer, tarjeta, numero tarjeta, carta di credito, ccn"),
    rule(PiiKind::CardPart, [0.6, 0.55, 0.55, 0.3], "last 4, last four, last digit"),
    rule(PiiKind::CardPart, ALWAYS, "card last 4, card last four, credit card last 4, iban last 4, account last 4, cc last 4, last 4 digit, quatre dernier chiffre, dernier chiffre, cvv, cvc, cvv 2, cryptogramme, card bin, card fingerprint, security code"),
    rule(PiiKind::BankAccount, ALWAYS, "bank account, bank account number, bank account no, account number, account no, bank number, numero compte, numero de compte, numero compte bancaire, compte bancaire, code guichet, cle rib, routing number, routing no, sort code, bank sort code, aba number, kontonummer, numero cuenta, numero de cuenta, conto corrente, bank detail, coordonnees bancaires, coordonnee bancaire, bankverbindung"),
    rule(PiiKind::Income, ALWAYS, "salary, base salary, current salary, expected salary, desired salary, gross salary, net salary, annual salary, monthly salary, wage, hourly wage, income, annual income, net worth, net pay, gross pay, base pay, pay rate, hourly rate, payroll, compensation, bonus amount, salaire, salaire brut, salaire net, salaire base, salaire de base, remuneration, pretention salariale, net a payer, net paye, brut, brut mensuel, revenu, revenu fiscal, revenu annuel, quotient familial, pension, gehalt, lohn, einkommen, salario, stipendio, sueldo, ingreso, credit score"),
    rule(PiiKind::Income, ONLY_PERSON, "bonus, prime"),
    // Auth.
    rule(PiiKind::PasswordHash, ALWAYS, "password digest, password hash, encrypted password, hashed password, crypted password, pwd hash, passwd hash, mot de passe digest, mot de passe hash, mot de passe chiffre, mot de passe crypte, pin digest, passwort hash"),
    rule(PiiKind::Password, ALWAYS, "password, passwd, pwd, passphrase, pass phrase, mot de passe, mdp, motdepasse, passwort, kennwort, contrasena, clave acceso, parola d ordine"),
    rule(PiiKind::Token, ALWAYS, "token, jeton, access token, refresh token, auth token, api token, session token, reset password token, confirmation token, unlock token, invitation token, remember token, push token, device token, fcm token, apns token, csrf token, magic link, jwt token, unsubscribe key, cle desinscription, oauth token, bearer, session key, activation code, verification code, confirmation code, code activation, code verification, invite code token"),
    rule(PiiKind::Token, [0.8, 0.8, 0.8, 0.6], "session id, sid"),
    rule(PiiKind::Secret, ALWAYS, "secret, client secret, signing secret, otp secret, totp secret, mfa secret, two factor secret, shared secret, webhook secret, password salt, salt, seed phrase, recovery code, recovery codes, backup code, otp backup code, codes de secours, code de secours, code secours, code recuperation, security answer, security question, secret answer, secret question, reponse secrete, question secrete, reponse de securite, question de securite, pin code, credential, identifiant chiffre, code confidentiel, encryption key, aes key, hmac key, otp code, otp, totp, mfa code, two factor code, ciphertext, secret key, code secret, private token, pass code, passcode, card pin, code pin, door code"),
    rule(PiiKind::Secret, ONLY_PERSON, "pin"),
    rule(PiiKind::ApiKey, ALWAYS, "api key, apikey, api secret, access key, access key id, secret access key, license key, cle api, cle d api, service account key"),
    rule(PiiKind::PrivateKey, ALWAYS, "private key, ssh key, pem, rsa key, cle privee, ssl key, signing key, gpg key"),
    rule(PiiKind::Jwt, ALWAYS, "jwt, id token"),
    // Network and devices.
    rule(PiiKind::IpAddress, ALWAYS, "ip, ip address, ip addr, ipaddress, ipv 4, ipv 6, remote ip, client ip, remote addr, remote address, sign in ip, current sign in ip, last sign in ip, adresse ip, derniere ip, ip client, x forwarded for, forwarded for, login ip, ip adresse, ip adresse client"),
    rule(PiiKind::MacAddress, MOSTLY, "mac address, mac addr, mac, adresse mac"),
    rule(PiiKind::DeviceId, ALWAYS, "device id, device uid, device uuid, device identifier, device fingerprint, browser fingerprint, imei, imsi, iccid, udid, idfa, idfv, gaid, advertising id, android id, visitor token, visitor id, installation id, anonymous id, cookie id, serial imei, meid"),
    rule(PiiKind::Geolocation, PERSON, "latitude, longitude, lat, lng, lon, geolocation, geo location, gps, gps position, gps coordinate, coordinate, coordonnee gps, geo point, geopoint, lat lng, latlng, latlon, last location, current location, last known location, home location, position gps, current lat, current lng, current lon"),
    rule(PiiKind::Geolocation, ONLY_PERSON, "location, position"),
    // Health and body.
    rule(PiiKind::Health, ALWAYS, "diagnosis, diagnose, diagnostic medical, medical, medical record, medical record number, mrn, medical history, medical note, medical condition, health condition, health note, health status, allergy, allergie, allergie alimentaire, blood type, blood group, groupe sanguin, blutgruppe, medication, current medication, prescription, ordonnance, treatment plan, traitement en cours, traitement medical, antecedent, antecedents medicaux, symptom, symptome, disability, disabled person, handicap, handicape, travailleur handicape, behinderung, rqth, vaccination, vaccine, vaccin, pregnancy, pregnant, enceinte, grossesse, posologie, compte rendu medical, examen clinique, chief complaint, heart rate, blood pressure, pression arterielle, tension arterielle, bmi, imc, systolic, diastolic, glycemie, icd 10, icd code, cim 10, code cim 10, diagnosis code, special need, special educational need, sen status, dietary requirement, dietary restriction, regime medical, pai, sick leave, arret maladie, doctor note, certificat medical, medical certificate, maladie, pathologie, affection, medical reason, hiv status, mental health, therapy note, patient note, dossier medical, drug name, lab result, test result medical, medicament prescrit, weight kg, height cm"),
    rule(PiiKind::Health, MOSTLY, "diagnostic, traitement, medicament, illness, disease, surgery, chirurgie, symptom description"),
    rule(PiiKind::HealthInsurance, ALWAYS, "health insurance, health insurance number, insurance number, insurance member, insurance member id, insurance policy number, insurance group, mutuelle, numero mutuelle, numero adherent mutuelle, numero adherent, affiliation number, numero affiliation, caisse affiliation, adherent mutuelle, medicare, medicare number, medicaid, carte vitale, numero carte vitale, krankenkasse, krankenversicherung, caisse assurance maladie, cpam, assurance maladie, subscriber id, member id insurance, ehic"),
    rule(PiiKind::HealthInsurance, [0.4, 0.3, 0.3, 0.1], "policy number"),
    rule(PiiKind::Biometric, ALWAYS, "biometric, biometrie, fingerprint template, badge fingerprint, finger print, empreinte digitale, empreinte biometrique, empreinte vocale, face embedding, face encoding, face template, face id, facial, facial template, gabarit facial, reconnaissance faciale, voice print, voiceprint, iris scan, retina, retina scan, selfie, signature scan, signature image, signature data, handwritten signature, signature manuscrite, dna, adn"),
    rule(PiiKind::Biometric, [0.8, 0.6, 0.55, 0.3], "signature, fingerprint, empreinte, unterschrift, firma"),
    // Writings and copies of records.
    rule(PiiKind::FreeText, TEXT, "note, internal note, admin note, private note, notes interne, note interne, staff note, comment, commentaire, commentary, remark, remarque, observation, message, personal message, gift message, message cadeau, feedback, bio, biography, biographie, about me, a propos de moi, cover letter, lettre motivation, lettre de motivation, resume text, cv text, cv texte, cv, curriculum, special instruction, delivery instruction, instruction livraison, instruction de livraison, bemerkung, notiz, kommentar, nachricht, comentario, observacion, commento, nota, appreciation, avis conseil, transcript, conversation, testimonial, complaint, reclamation, grievance, motivation, strength, improvement, objectif individuel, action taken, cancel reason, cancellation reason, vacation message, out of office, email body, mail body, body html, body text, corps html, corps texte, corps message, html body, text body, raw email, raw mail, raw message, source mime, sms body, sms text, chat log, call summary, compte rendu, recit, temoignage, description incident, precision, billing extra, extra info, additional information, informations complementaires, autre information, statement"),
    rule(PiiKind::FreeText, WRITING, "body, content, contenu, text, texte, description, corps, answer, introduction, context, contexte, reponse, response text, reply, question text, details, detail, reason, motif, fait, excerpt, summary, resume, inhalt, betreff, beschreibung, contenido, asunto, testo, oggetto, libelle, contenu texte"),
    rule(PiiKind::FreeText, [0.35, 0.85, 0.35, 0.1], "subject, objet, sujet"),
    rule(PiiKind::Payload, [0.9, 0.9, 0.85, 0.7], "audited change, object change, changeset, whodunnit record, raw payload, request body, response body, request param, request header, response header, request payload, payload, raw data, raw request, raw response, raw body, raw json, raw http, raw xml, xml brut, donnees brutes, donnee brute, session data, old value, new value, previous value, before value, after value, reponse banque, gateway response, serialized param, serialized object, job data, form data, submission data, ocr result, event data, event property, user data, user info, raw info, omniauth data, auth hash, auth data, extra data, edi payload, raw hl 7, hl 7, kyc data, params, param, parametre requete, handler, argument, webhook payload, webhook body, import data, raw row, row data, old data, new data, record data"),
    rule(PiiKind::Education, [0.8, 0.5, 0.4, 0.1], "gpa, grade average, exam grade, exam result, exam mark, moyenne generale, moyenne, mention, transcript grade, diploma, diplome, note globale, degree, education level, niveau etude, performance rating"),
];

/// Nouns for persons and the parts they play: a table of these is about persons, `<noun>_name` is a person's name.
pub(crate) const PERSONS: &str = "user, customer, client, member, membre, person, personne, people, employee, employe, \
    salarie, staff, worker, patient, doctor, physician, provider user, practitioner, praticien, medecin, nurse, student, pupil, \
    eleve, etudiant, teacher, enseignant, professeur, guardian, parent, responsable, responsable legal, tuteur, child, enfant, \
    contact, lead, prospect, subscriber, abonne, inscrit, candidate, candidat, applicant, postulant, author, auteur, owner, \
    proprietaire, seller, vendor user, vendeur, buyer, acheteur, driver, conducteur, chauffeur, passenger, passager, guest, \
    invite, visitor, visiteur, participant, attendee, tenant, locataire, landlord, bailleur, admin, administrateur, \
    administrator, manager, operator, agent, recipient, destinataire, sender, expediteur, beneficiary, beneficiaire, holder, \
    cardholder, titulaire, porteur, assure, insured, adherent, donor, donateur, volunteer, benevole, resident, citizen, citoyen, \
    voter, witness, temoin, borrower, emprunteur, player, joueur, coach, referee, profile, profil, identity, identite, \
    utilisateur, usager, acteur, mitarbeiter, kunde, benutzer, nutzer, schuler, lehrer, usuario, cliente, clienti, empleado, \
    paciente, alumno, utente, dipendente, persona, requester, demandeur, assignee, reporter, creator, createur, reviewer, \
    approver, subscriber, dependent, dependant, spouse, conjoint, father, mother, pere, mere, representative, representant, \
    gerant, dirigeant, signatory, signataire, expert, tiers, contrepartie, counterparty, payer user, payee, debtor, creditor, \
    debiteur, creancier, account user, login, staff login, user account, trainee, stagiaire, intern, apprenti, instructor, \
    formateur, speaker, intervenant, filleul, parrain, caller, appelant, defendant, plaintiff, heir, heritier, freelancer, \
    contractor, prestataire independant, consultant, human, individual, particulier, compte utilisateur, newsletter subscriber, \
    billing contact, emergency contact, contact urgence, address, adresse, gift card recipient, medecin traitant, kin";

/// Nouns for things, places, organisations and settings: nothing in such a table is a person's by its bare name.
pub(crate) const THINGS: &str = "product, produit, article, item, category, categorie, brand, marque, catalog, catalogue, \
    collection, variant, variante, sku, stock, inventory, warehouse, entrepot, store, shop, magasin, boutique, point relais, \
    point de vente, branch, agence, office, bureau, location, place, lieu, venue, room, salle, building, batiment, city, ville, \
    country, pay, region, departement, department, service, state, commune, address type, currency, devise, language, langue, \
    tag, label, page, menu, plat, dish, recipe, recette, ingredient, template, modele, theme, setting, parametre, config, configuration, \
    feature, feature flag, flag, plan, offer, offre, coupon, promotion, discount, tax, taxe, taux, rate, price, prix, tariff, \
    tarif, project, projet, task, tache, milestone, sprint, board, role, permission, group, groupe, team, equipe, \
    organization, organisation, company, entreprise, societe, enterprise, etablissement, school, ecole, hospital, clinic, \
    account, supplier, fournisseur, manufacturer, fabricant, publisher, editeur, vendor, partner company, bank, banque, insurer, \
    carrier, transporteur, course, cour, matiere, subject, lesson, class, classe, exam, evaluation, poste, job opening, job offer, \
    position, annonce, listing, event type, book, livre, movie, film, song, album, media, file, fichier, image, asset, \
    drug, medicament, specialite, specialty, disease, medical code, device model, application, oauth application, webhook, \
    webhook endpoint, endpoint, integration, api, blog post, blog, news, actualite, faq, question, survey, sondage, form, \
    formulaire, route, bus route, line, ligne, station, stop, vehicle model, car model, equipment, equipement, machine, sensor, \
    version type, currency rate, holiday, jour ferie, calendar, artikel, produkt, producto, prodotto, categoria, kategorie, \
    abteilung, filiale, tienda, negozio, point relai, job type, skill, competence, zone, territory, territoire, sector, secteur, motif, sport, league, tournament, server, host, node, \
    deployment, release, build, pipeline, repository, environment, cluster, domain";

/// Nouns for what people write and for what is reported about them.
pub(crate) const WRITINGS: &str = "comment, commentaire, message, chat message, note, review, avis, feedback, ticket, support ticket, \
    conversation, thread, discussion, reply, reponse, answer, survey answer, mail, email, mail sortant, sms, sms envoye, letter, courrier, \
    complaint, reclamation, incident, claim, sinistre, dispute, litige, testimonial, temoignage, report, signalement, \
    interview, entretien, performance review, appraisal, bulletin, sanction, absence, request, demande, inquiry, enquiry, call, appel, \
    rich text, action text rich text, memo, journal entry, diary, visit report, compte rendu, document, nachricht, kommentar, mensaje, messaggio, \
    operation bancaire, bank transaction, retour, return, attendance, consultation, etat des lieux, etats des lieux, leave, conge";

/// Nouns and foreign keys of care: in such a table a weight is a person's, and a reason too.
pub(crate) const CARE: &str = "patient, consultation, encounter, diagnosis, prescription, ordonnance, vital, vital sign, lab result, \
    medical record, dossier medical, treatment, traitement, hospitalisation, hospitalization, admission, arret maladie, \
    sick leave, immunization, vaccination, feuille de soin, medical appointment, symptom, allergy, allergie";

/// What a table of care holds about the body and its treatment.
pub(crate) const CARE_COLUMNS: &str = "weight, height, poids, taille, temperature, tension, pulse, pouls, saturation, motif, reason, \
    result, resultat, value, valeur, abnormal, anormal, dosage, dose, drug, drug name, medicament, instruction, complaint, plan, triage, \
    triage level, diagnosis, diagnostic, test name, test, examen, compte rendu, code cim 10, icd, note clinique, clinical note, \
    procedure, acte, certificat, certificate, oxygen, glucose, bmi, rate, absence type, type d arret";

/// Nouns of tables and foreign keys in which a mark or a rating is a person's.
pub(crate) const ASSESSED: &str = "student, pupil, eleve, etudiant, employee, salarie, trainee, stagiaire, candidate, candidat, apprenti, learner";

/// What a mark goes by.
pub(crate) const MARKS: &str = "mark, grade, note, note globale, score, valeur, value, letter, letter grade, rating, result, resultat, moyenne, \
    moyenne generale, average, mention, points, gpa, final grade, appreciation globale";

/// Words after a phrase that make it something else: `email_sent_at`, `password_policy`, `phone_country`.
pub(crate) const NOT_AFTER: &str = "count, counter, at, on, id, uuid, date, day, type, kind, status, statut, state, etat, enabled, active, \
    verified, verifie, confirmed, confirme, validated, valide, sent, envoye, format, template, modele, position, version, algorithm, algo, \
    provider, fournisseur, currency, devise, label, libelle, length, size, category, categorie, method, rate, limit, policy, preference, \
    setting, settings, notification, alert, visible, visibility, required, obligatoire, valid, present, opt, optin, optout, allowed, \
    consent, consentement, reminder, rappel, frequency, bounced, carrier, country, pays, domain, prefix, host, port, order, unit, unite, \
    expire, expires, expiry, expiration, expired, ttl, attempt, tentative, changed, change, updated, needed, lang, language, langue, \
    source, page, level, strength, failed, locked, public, hidden, subscribed, subscription, digest frequency, campaign, \
    channel, client id, list id, theme, signature id, timezone, zone, scheme, mode, index, total, min, max, average, sum, created, deleted, \
    checked, uploaded, approved, rejected, canonique, canonical, event, issued, response, result, error, month, week, year, hour, used, seen, read, queue, quota, regex, pattern";

/// Words before a phrase that make it a question, a count or an option.
pub(crate) const NOT_BEFORE: &str = "is, has, had, have, should, can, could, may, must, will, allow, allows, accept, accepte, send, envoyer, show, \
    hide, display, afficher, require, requires, use, uses, enable, enabled, disable, skip, nb, nbr, num of, number of, count, total, \
    max, min, est, a accepte, opt, wants, want, receive, droit, validate, default, sort, order by, group by, next, needs";

/// Words before `name` or `nom` that leave it a person's though they are not persons.
pub(crate) const NAME_QUALIFIERS: &str =
    "to, from, billing, shipping, delivery, legal, signed, printed, real, complete, entire, personal, \
    emergency, previous, former, other, alternate, livraison, facturation";
