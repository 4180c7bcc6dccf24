; The installer for Windows. Compiled by Inno Setup 6 from the folder that PyInstaller made:
;   ISCC /DVersion=0.1.0 /DProgram=dist\execution-engine /DOutput=dist installer.iss
; /DSigned says that a sign tool called "sign" is set up; then the installer and its uninstaller are signed.

#ifndef Version
  #error Say which version it is: /DVersion=0.1.0
#endif
#ifndef Program
  #define Program "dist\execution-engine"
#endif
#ifndef Output
  #define Output "dist"
#endif
#ifndef Icon
  #define Icon "build\icons\execution-engine.ico"
#endif
#ifndef Architectures
  #define Architectures "x64compatible"
#endif
#define Title "Execution Engine"
#define Exe "Execution Engine.exe"

[Setup]
; Never another one: by it Windows knows that a newer version takes the place of an older one.
AppId={{7A0B5E0C-2B0E-4D0B-9B52-5C9C5E3F3C11}
AppName={#Title}
AppVersion={#Version}
AppVerName={#Title} {#Version}
VersionInfoVersion={#Version}
; For this user alone and without asking for rights, unless somebody wants it for everybody.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog commandline
DefaultDirName={code:Programs}\{#Title}
DefaultGroupName={#Title}
DisableProgramGroupPage=yes
DisableDirPage=auto
UninstallDisplayIcon={app}\{#Exe}
UninstallDisplayName={#Title}
ArchitecturesAllowed={#Architectures}
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0
OutputDir={#Output}
OutputBaseFilename=execution-engine-{#Version}-setup
SetupIconFile={#Icon}
Compression=lzma2/max
SolidCompression=yes
WizardStyle=modern
; A running program is asked to end in order; it ends as on a shutdown of Windows, and trades are on disk.
CloseApplications=yes
CloseApplicationsFilter=*.exe
RestartApplications=no
#ifdef Signed
SignTool=sign
SignedUninstaller=yes
#endif

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "de"; MessagesFile: "compiler:Languages\German.isl"

[CustomMessages]
en.Autostart=Start {#Title} when I log in
de.Autostart={#Title} beim Anmelden starten
en.Desktop=Put an icon on the desktop
de.Desktop=Ein Symbol auf den Desktop legen
en.Start=Start {#Title}
de.Start={#Title} starten
en.DeleteData=Delete your data as well: trades, settings, keys, logs and backups?%n%nThey are in %1. What was deleted cannot be brought back; positions that are open on an exchange stay open there.
de.DeleteData=Auch Ihre Daten löschen: Geschäfte, Einstellungen, Schlüssel, Protokolle und Sicherungen?%n%nSie liegen in %1. Gelöschtes lässt sich nicht zurückholen; an Börsen offene Positionen bleiben dort offen.

[Tasks]
Name: "autostart"; Description: "{cm:Autostart}"; Flags: unchecked
Name: "desktop"; Description: "{cm:Desktop}"; Flags: unchecked

[InstallDelete]
; Libraries of an older version must not be found by a newer one.
Type: filesandordirs; Name: "{app}\_internal"

[Files]
Source: "{#Program}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\{#Title}"; Filename: "{app}\{#Exe}"
Name: "{autodesktop}\{#Title}"; Filename: "{app}\{#Exe}"; Tasks: desktop

[Registry]
Root: HKCU; Subkey: "Software\Microsoft\Windows\CurrentVersion\Run"; ValueType: string; ValueName: "{#Title}"; ValueData: """{app}\{#Exe}"""; Tasks: autostart; Flags: uninsdeletevalue
; Whoever unticks it while upgrading has it no longer.
Root: HKCU; Subkey: "Software\Microsoft\Windows\CurrentVersion\Run"; ValueName: "{#Title}"; ValueType: none; Tasks: not autostart; Flags: deletevalue

[Run]
Filename: "{app}\{#Exe}"; Description: "{cm:Start}"; Flags: nowait postinstall skipifsilent

[Code]
// Where {autopf} leads to, said by hand: the folder of one user's programs has no name of its own everywhere.
function Programs(Unused: String): String;
begin
  if IsAdminInstallMode then
    Result := ExpandConstant('{commonpf}')
  else
    Result := ExpandConstant('{localappdata}\Programs');
end;

// The data folder of the application, which is no part of the installation: another version finds it there.
function DataFolder: String;
begin
  Result := ExpandConstant('{localappdata}\execution-engine');
end;

// Asked of a person only; /DELETEDATA says it for a silent uninstallation, which keeps the data otherwise.
function WantsDataDeleted: Boolean;
var
  Index: Integer;
begin
  Result := False;
  for Index := 1 to ParamCount do
    if CompareText(ParamStr(Index), '/DELETEDATA') = 0 then
      Result := True;
  if not Result and not UninstallSilent then
    Result := MsgBox(FmtMessage(CustomMessage('DeleteData'), [DataFolder]), mbConfirmation, MB_YESNO or MB_DEFBUTTON2) = IDYES;
end;

procedure CurUninstallStepChanged(CurUninstallStep: TUninstallStep);
begin
  if (CurUninstallStep = usPostUninstall) and DirExists(DataFolder) then
    if WantsDataDeleted then
      DelTree(DataFolder, True, True, True);
end;
