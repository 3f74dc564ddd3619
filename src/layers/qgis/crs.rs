//! The two systems of coordinates that a project names, as QGIS 3.22 writes them.
//!
//! The full WKT is what counts: with a code alone QGIS leaves a project without a system. The number that QGIS gives a
//! system in its own database changes between its versions, so none is given.

use std::io;

use quick_xml::events::BytesText;

use crate::layers::style::qml::Xml;

/// A system by all the names that QGIS asks for.
pub(super) struct System {
    wkt: &'static str,
    proj4: &'static str,
    code: &'static str,
    name: &'static str,
    projection: &'static str,
    ellipsoid: &'static str,
    geographic: bool,
}

/// That of the layers.
pub(super) const WGS84: System = System {
    wkt: concat!(
        r#"GEOGCRS["WGS 84",ENSEMBLE["World Geodetic System 1984 ensemble",MEMBER["World Geodetic System 1984 (Transit)"],"#,
        r#"MEMBER["World Geodetic System 1984 (G730)"],MEMBER["World Geodetic System 1984 (G873)"],"#,
        r#"MEMBER["World Geodetic System 1984 (G1150)"],MEMBER["World Geodetic System 1984 (G1674)"],"#,
        r#"MEMBER["World Geodetic System 1984 (G1762)"],MEMBER["World Geodetic System 1984 (G2139)"],"#,
        r#"ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]],ENSEMBLEACCURACY[2.0]],"#,
        r#"PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],"#,
        r#"AXIS["geodetic latitude (Lat)",north,ORDER[1],ANGLEUNIT["degree",0.0174532925199433]],"#,
        r#"AXIS["geodetic longitude (Lon)",east,ORDER[2],ANGLEUNIT["degree",0.0174532925199433]],"#,
        r#"USAGE[SCOPE["Horizontal component of 3D system."],AREA["World."],BBOX[-90,-180,90,180]],ID["EPSG",4326]]"#,
    ),
    proj4: "+proj=longlat +datum=WGS84 +no_defs",
    code: "4326",
    name: "WGS 84",
    projection: "longlat",
    ellipsoid: "EPSG:7030",
    geographic: true,
};

/// That of the map: the Lambert conformal conic of Mexico, in metres.
pub(super) const MEXICO_LCC: System = System {
    wkt: concat!(
        r#"PROJCRS["Mexico ITRF2008 / LCC",BASEGEOGCRS["Mexico ITRF2008",DATUM["Mexico ITRF2008","#,
        r#"ELLIPSOID["GRS 1980",6378137,298.257222101,LENGTHUNIT["metre",1]]],"#,
        r#"PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",6365]],"#,
        r#"CONVERSION["Mexico LCC",METHOD["Lambert Conic Conformal (2SP)",ID["EPSG",9802]],"#,
        r#"PARAMETER["Latitude of false origin",12,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8821]],"#,
        r#"PARAMETER["Longitude of false origin",-102,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8822]],"#,
        r#"PARAMETER["Latitude of 1st standard parallel",17.5,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8823]],"#,
        r#"PARAMETER["Latitude of 2nd standard parallel",29.5,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8824]],"#,
        r#"PARAMETER["Easting at false origin",2500000,LENGTHUNIT["metre",1],ID["EPSG",8826]],"#,
        r#"PARAMETER["Northing at false origin",0,LENGTHUNIT["metre",1],ID["EPSG",8827]]],"#,
        r#"CS[Cartesian,2],AXIS["northing (N)",north,ORDER[1],LENGTHUNIT["metre",1]],"#,
        r#"AXIS["easting (E)",east,ORDER[2],LENGTHUNIT["metre",1]],"#,
        r#"USAGE[SCOPE["Topographic mapping (small scale)."],AREA["Mexico - onshore and offshore."],"#,
        r#"BBOX[12.1,-122.19,32.72,-84.64]],ID["EPSG",6372]]"#,
    ),
    proj4: "+proj=lcc +lat_0=12 +lon_0=-102 +lat_1=17.5 +lat_2=29.5 +x_0=2500000 +y_0=0 +ellps=GRS80 \
            +towgs84=0,0,0,0,0,0,0 +units=m +no_defs",
    code: "6372",
    name: "Mexico ITRF2008 / LCC",
    projection: "lcc",
    ellipsoid: "EPSG:7019",
    geographic: false,
};

/// Writes a system as the content of the element that is open.
pub(super) fn write(xml: &mut Xml, system: &System) -> io::Result<()> {
    let authority = format!("EPSG:{}", system.code);
    xml.create_element("spatialrefsys").with_attribute(("nativeFormat", "Wkt")).write_inner_content(
        |xml| {
            for (name, text) in [
                ("wkt", system.wkt),
                ("proj4", system.proj4),
                ("srsid", "0"),
                ("srid", system.code),
                ("authid", authority.as_str()),
                ("description", system.name),
                ("projectionacronym", system.projection),
                ("ellipsoidacronym", system.ellipsoid),
                ("geographicflag", if system.geographic { "true" } else { "false" }),
            ] {
                xml.create_element(name).write_text_content(BytesText::new(text))?;
            }
            Ok(())
        },
    )?;
    Ok(())
}
