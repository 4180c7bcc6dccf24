# Signs the program and makes the installer. Run on Windows after `make bundle`; -DryRun prints every step and does
# none. WINDOWS_CERTIFICATE is the file of the certificate, WINDOWS_CERTIFICATE_PASSWORD its password; without them
# nothing is signed, and Windows will warn whoever starts the installer.
param([switch]$DryRun)
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "../..")

$version = [regex]::Match((Get-Content -Raw src/execution_engine/__init__.py), '__version__ = "([^"]+)"').Groups[1].Value
$compiler = "${env:ProgramFiles(x86)}\Inno Setup 6\ISCC.exe"
$certificate = $env:WINDOWS_CERTIFICATE

function Step([string]$program, [string[]]$words) {
    if ($DryRun) { Write-Output (@($program) + $words -join " "); return }
    & $program @words
    if ($LASTEXITCODE -ne 0) { throw "$program ended with $LASTEXITCODE" }
}

$sign = @("sign", "/fd", "SHA256", "/td", "SHA256", "/tr", "http://timestamp.digicert.com", "/f", $certificate,
    "/p", $env:WINDOWS_CERTIFICATE_PASSWORD)
$given = @("/Qp", "/DVersion=$version")
if ($certificate) {
    $programs = Get-ChildItem dist/execution-engine -Filter *.exe | ForEach-Object { $_.FullName }
    Step "signtool" ($sign + $programs)
    # $f stands for the file, $q for a quotation mark.
    $quoted = $sign | ForEach-Object { if ($_ -match "\s") { "`$q$_`$q" } else { $_ } }
    $given += @("/DSigned", "/Ssign=signtool $($quoted -join ' ') `$f")
} else {
    Write-Warning "WINDOWS_CERTIFICATE is not set: nothing is signed."
}
Step $compiler ($given + "installer.iss")
